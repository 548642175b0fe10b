"""Prompts to token ids with placeholders for what is not text; LLaMA's legacy spacing beside it.

LLaVA's descendants were trained with the slow LLaMA tokenizer of transformers 4.29 to 4.31, which
strips white space beside ``[SEG]`` and the image marks and encodes every piece between special
tokens on its own. Source: LLM-Seg, LISA.
"""

import re
from enum import IntEnum, StrEnum

from vlseg_cli.text.tokenizer import SEG, Tokenizer


class ConditionKind(StrEnum):
    """The three conditions of PSALM; each has its own projector and head."""

    CATEGORY = "category"
    SENTENCE = "sentence"
    REGION = "region"


class Placeholder(IntEnum):
    """Negative token ids that are replaced by embeddings of something other than text."""

    IMAGE = -200
    QUERIES = -201
    CATEGORY = -202
    REGION = -203
    EXPRESSION = -204
    FINE_GRAINED = -205  # only in HyperSeg


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


IMAGE = "<image>"
IMAGE_START, IMAGE_END = "<im_start>", "<im_end>"
BEGIN, END = "<s>", "</s>"

_STRIPPED = (SEG, IMAGE_START, IMAGE_END, "<im_patch>")  # white space beside them is dropped
_KEPT = (BEGIN, END, "<unk>")


def legacy_ids(text: str, tokenizer: Tokenizer) -> list[int]:
    """Ids of a prompt, ``<s>`` first; ``<image>`` becomes ``Placeholder.IMAGE``."""
    ids = [] if (begin := tokenizer.rust.token_to_id(BEGIN)) is None else [begin]
    for number, chunk in enumerate(text.split(IMAGE)):
        if number:
            ids.append(Placeholder.IMAGE)
        ids += _chunk_ids(chunk, tokenizer)
    return ids


def _chunk_ids(chunk: str, tokenizer: Tokenizer) -> list[int]:
    """Text between images: special tokens, and each piece between them on its own."""
    special = {
        token: number
        for token in (*_STRIPPED, *_KEPT)
        if (number := tokenizer.rust.token_to_id(token)) is not None
    }
    pieces = re.split("(" + "|".join(map(re.escape, special)) + ")", chunk)
    ids: list[int] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            ids.append(special[piece])
            continue
        if index and pieces[index - 1] in _STRIPPED:
            piece = piece.lstrip()
        if index + 1 < len(pieces) and pieces[index + 1] in _STRIPPED:
            piece = piece.rstrip()
        ids += tokenizer.ids(piece) if piece else []
    return ids
