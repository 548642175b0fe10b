"""Text to ids as the slow LLaMA tokenizer of transformers 4.29 to 4.31 did it.

LLaVA's descendants were trained with it. Later tokenizers leave a mark for the space beside
``[SEG]`` and the picture's marks; the old one stripped it there and began every piece between
special tokens anew. Source: LLM-Seg, LISA.
"""

import re

from vlseg_cli.text.placeholders import Placeholder
from vlseg_cli.text.tokenizer import SEG, Tokenizer

IMAGE = "<image>"
IMAGE_START, IMAGE_END = "<im_start>", "<im_end>"
BEGIN, END = "<s>", "</s>"

_STRIPPED = (SEG, IMAGE_START, IMAGE_END, "<im_patch>")  # white space beside them vanishes
_KEPT = (BEGIN, END, "<unk>")


def legacy_ids(text: str, tokenizer: Tokenizer) -> list[int]:
    """Ids of a prompt, one beginning mark first; ``<image>`` becomes ``Placeholder.IMAGE``."""
    ids = [] if (begin := tokenizer.rust.token_to_id(BEGIN)) is None else [begin]
    for number, chunk in enumerate(text.split(IMAGE)):
        if number:
            ids.append(Placeholder.IMAGE)
        ids += _chunk_ids(chunk, tokenizer)
    return ids


def _chunk_ids(chunk: str, tokenizer: Tokenizer) -> list[int]:
    """Text between pictures: special tokens, and each piece between them on its own."""
    special = {
        token: number
        for token in (*_STRIPPED, *_KEPT)
        if (number := tokenizer.rust.token_to_id(token)) is not None
    }
    pieces = re.split("(" + "|".join(map(re.escape, special)) + ")", chunk)
    ids: list[int] = []
    for place, piece in enumerate(pieces):
        if place % 2:
            ids.append(special[piece])
            continue
        if place and pieces[place - 1] in _STRIPPED:
            piece = piece.lstrip()
        if place + 1 < len(pieces) and pieces[place + 1] in _STRIPPED:
            piece = piece.rstrip()
        ids += tokenizer.ids(piece) if piece else []
    return ids
