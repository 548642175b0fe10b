"""The marks that stand in a prompt for something that is not text, and the ids they travel under.

Source: PSALM ``psalm/constants.py``. HyperSeg and MVP-LM use the same scheme.
"""

from enum import IntEnum


class Placeholder(IntEnum):
    """Negative token ids; each is replaced by embeddings from elsewhere."""

    IMAGE = -200
    QUERIES = -201
    CATEGORY = -202
    REGION = -203
    EXPRESSION = -204


MARKS: dict[str, Placeholder] = {
    "<image>": Placeholder.IMAGE,
    "<seg>": Placeholder.QUERIES,
    "<cls>": Placeholder.CATEGORY,
    "<region>": Placeholder.REGION,
    "<refer>": Placeholder.EXPRESSION,
}
