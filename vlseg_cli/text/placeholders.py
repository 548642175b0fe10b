"""What a query is judged by: a category name, a sentence or a region."""

import re
from enum import IntEnum, StrEnum

from vlseg_cli.text.tokenizer import Tokenizer


class ConditionKind(StrEnum):
    """The three conditions of PSALM; each has its own projector and head."""

    CATEGORY = "category"
    SENTENCE = "sentence"
    REGION = "region"


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
    """Ids with placeholders; each piece of text between marks is tokenized on its own."""
    ids: list[int] = []
    for piece in _MARK.split(text):
        ids += [MARKS[piece]] if piece in MARKS else tokenizer.ids(piece)
    return ids
