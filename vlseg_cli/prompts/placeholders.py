"""The marks that stand in a prompt for something that is not text, and the ids they travel under.

Source: PSALM ``psalm/constants.py``. HyperSeg and MVP-LM use the same scheme.
"""

import re
from enum import IntEnum

from vlseg_cli.prompts.tokenizer import Tokenizer


class Placeholder(IntEnum):
    """Negative token ids; each is replaced by embeddings from elsewhere."""

    IMAGE = -200
    QUERIES = -201
    CATEGORY = -202
    REGION = -203
    EXPRESSION = -204
    FINE_GRAINED = -205  # HyperSeg alone


MARKS: dict[str, Placeholder] = {
    "<image>": Placeholder.IMAGE,
    "<seg>": Placeholder.QUERIES,
    "<cls>": Placeholder.CATEGORY,
    "<region>": Placeholder.REGION,
    "<refer>": Placeholder.EXPRESSION,
    "<temporal>": Placeholder.FINE_GRAINED,
}
_MARK = re.compile("(" + "|".join(map(re.escape, MARKS)) + ")")


def tokenize(text: str, tokenizer: Tokenizer) -> list[int]:
    """Ids with placeholders; each piece of text between marks is tokenised on its own."""
    ids: list[int] = []
    for piece in _MARK.split(text):
        ids += [MARKS[piece]] if piece in MARKS else tokenizer.ids(piece)
    return ids
