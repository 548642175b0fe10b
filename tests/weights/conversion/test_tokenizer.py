"""Tokenizers as the authors publish them become one tokenizer.json, without a word of complaint."""

import json
import logging
from pathlib import Path

import pytest
from miniatures.tokenizers import (
    LLAMA_PIECES,
    byte_tokenizer,
    byte_vocabulary,
    llama_tokenizer,
    write_byte_files,
    write_sentencepiece,
)

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.tokenizer import has_tokenizer, official_tokenizer

TEXT = "[INST] What keeps 2 cups\ncold? Sure, [SEG]. <|im_start|>a<|endoftext|>"


@pytest.mark.parametrize(
    ("kind", "added", "config"),
    [
        ("CodeGenTokenizer", ("[PAD]", "[SEG]"), {"model_type": "mipha_phi"}),
        (
            "Qwen2Tokenizer",
            ("<|im_start|>", "[SEG]"),
            {"model_type": "internvl_chat", "auto_map": {"AutoConfig": "code.Config"}},
        ),
    ],
)
def test_slow_files_of_models_that_transformers_does_not_know(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    added: tuple[str, ...],
    config: dict[str, object],
) -> None:
    vocabulary = byte_vocabulary(128, added, first="!")
    write_byte_files(tmp_path, kind, vocabulary, added)
    (tmp_path / "config.json").write_text(json.dumps(config))
    logging.getLogger("transformers").addHandler(caplog.handler)
    theirs, ours = official_tokenizer(tmp_path), byte_tokenizer(vocabulary, added)
    logging.getLogger("transformers").removeHandler(caplog.handler)
    assert caplog.messages == []
    assert theirs.get_vocab_size() == len(vocabulary) == 128
    ids = theirs.encode(TEXT, add_special_tokens=False).ids
    assert ids == ours.encode(TEXT, add_special_tokens=False).ids
    assert vocabulary["[SEG]"] in ids and vocabulary["<|endoftext|>"] == ids[-1]


def test_a_sentencepiece_model(tmp_path: Path) -> None:
    assert not has_tokenizer(tmp_path)
    write_sentencepiece(tmp_path / "tokenizer.model")
    assert has_tokenizer(tmp_path)
    theirs, ours = official_tokenizer(tmp_path), llama_tokenizer()
    assert theirs.get_vocab() == {piece: n for n, piece in enumerate(LLAMA_PIECES)}
    ids = theirs.encode("<s>A chat: zz9é?", add_special_tokens=False).ids
    assert ids == ours.encode("<s>A chat: zz9é?", add_special_tokens=False).ids
    assert ids[0] == 1 and ids.count(0) == 1


def test_damaged_sentencepiece_models_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.model"
    write_sentencepiece(file)
    whole = file.read_bytes()
    for data in (
        b"",
        whole[:-1],
        whole[:7],
        whole.replace(b"<unk>", b"\xff\xfe\xfd>>"),
        b"\xff" * 40,
    ):
        file.write_bytes(data)
        with pytest.raises(WeightsError, match=r"cannot read the tokenizer .*it is damaged"):
            official_tokenizer(tmp_path)
