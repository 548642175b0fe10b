"""LLM-Seg's conversations against the authors': from a question's letters to ids and labels.

The tokenizer lies in the golden file, both as sentencepiece and as the Rust library write it.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from parity.golden import Golden
from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts
from vlseg_cli.text.placeholders import IMAGE, IMAGE_END, IMAGE_START, Placeholder, legacy_ids
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.read.sentencepiece_model import parse_sentencepiece_model

_TURN = "ASSISTANT:"  # what follows it is learned
_MORE_TEXT = ("ünïcödé 猫 \n two  spaces", " leading")
# They lie beside the ids in ``tok/``, though ids were made of them.
_GIVEN = {
    "tok/questions_answers_json": "given: what the conversations are made of",
    "tok/prompts_json": "given: the conversations' text, of which ours are ids at once",
    "tok/tokenizer_json": "given: the tokenizer",
    "tok/tokenizer_model": "given: the tokenizer again, compared by the ids that it makes",
}


def words_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Each raises WeightsError."""
    golden.aside.update(_GIVEN)
    return {
        "tokens": partial(_tokens, golden),
        "conversations": partial(_conversations, golden),
        "tokenizer": partial(_tokenizer, golden),
    }


def _tokens(golden: Golden) -> None:
    """From whole prompts."""
    tokenizer = _with_seg(golden)
    golden.close("tok/seg_id", torch.tensor([tokenizer.seg]), 0)
    rows, labels = [], []
    for prompt in _read_json(golden, "tok/prompts_json"):
        row = legacy_ids(prompt, tokenizer)
        asked = len(legacy_ids(prompt[: prompt.index(_TURN) + len(_TURN)], tokenizer))
        rows.append(row)
        labels.append([*[IGNORED] * asked, *row[asked:]])
    _agree(golden, rows, labels)


def _conversations(golden: Golden) -> None:
    """From questions and answers."""
    prompts, rows, labels = HRSegPrompts(_with_seg(golden), "llava"), [], []
    for question, answer in _read_json(golden, "tok/questions_answers_json"):
        lesson = prompts.lesson(question.removeprefix(f"{IMAGE}\n"), answer, question)
        prefix = [*lesson.sequence.prefix, Placeholder.IMAGE]
        rows.append([*prefix, *lesson.sequence.ids.tolist()])
        labels.append([*[IGNORED] * len(prefix), *lesson.labels.tolist()])
    _agree(golden, rows, labels)


def _agree(golden: Golden, rows: list[list[int]], labels: list[list[int]]) -> None:
    """Padded on the right as they pad."""
    golden.close("tok/input_ids", _padded(rows, 0), 0)
    golden.close("tok/labels", _padded(labels, IGNORED), 0)


def _padded(rows: list[list[int]], value: int) -> Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], True, value)


def _tokenizer(golden: Golden) -> None:
    """Sentencepiece's file gives the same tokenizer, but for tokens that were added later."""
    data = bytes(golden.recorded("tok/tokenizer_model").tolist())
    ours = parse_sentencepiece_model(data, golden.path.name)
    theirs = RustTokenizer.from_str(_text(golden, "tok/tokenizer_json"))
    for text in (*_read_json(golden, "tok/prompts_json"), *_MORE_TEXT):
        plain = text.replace(IMAGE_START, "").replace(IMAGE_END, "")
        expected = theirs.encode(plain, add_special_tokens=False).ids
        same = ours.encode(plain).ids == expected
        golden.require(same, f"tok/tokenizer_model makes other ids of {plain!r}")


def _with_seg(golden: Golden) -> Tokenizer:
    rust = RustTokenizer.from_str(_text(golden, "tok/tokenizer_json"))
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    return Tokenizer(rust)


def _read_json(golden: Golden, name: str) -> Any:
    return json.loads(_text(golden, name))


def _text(golden: Golden, name: str) -> str:
    return bytes(golden.recorded(name).tolist()).decode()
