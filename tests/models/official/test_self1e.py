"""A miniature official folder in every naming: opened, converted, asked, and trained from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.self1e_tiny import tokenizer
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.models.official.convert import convert_folder
from vlseg_cli.models.official.self1e import open_official_self1e
from vlseg_cli.models.official.self1e_base import start_from_base
from vlseg_cli.models.registry import load_model, official_system
from vlseg_cli.prompts.self1e import miniature_tokenizer
from vlseg_cli.prompts.tokenizer import SEG
from vlseg_cli.schema import Ask, Expression, Frame, Prediction, Question, Task, WeightsError
from vlseg_cli.weights.convert.rules import convert
from vlseg_cli.weights.convert.self1e import SELF1E_RULES
from vlseg_cli.worlds.draw import draw_scene

GOLDEN = Path(__file__).parents[2] / "parity" / "goldens" / "self1e-a.safetensors"
HEADS = "combine_decode_proj"


def write(folder: Path, tensors: dict[str, Tensor], config: dict[str, Any]) -> Path:
    """An official folder with a tokenizer of 128 rows at most, as the golden model has them."""
    folder.mkdir()
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "m.safetensors"
    )
    (folder / "config.json").write_text(json.dumps(config))
    words = ["what", "is", "the", "red", "cup", "keeps", "food", "cold", "?"]
    miniature_tokenizer(words).save(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def published() -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(str(GOLDEN), "pt") as file:
        tensors = {key[2:]: file.get_tensor(key) for key in file.keys() if key[:2] == "w/"}  # noqa: SIM118
        config = json.loads(file.metadata()["config"])
    return tensors, config | {"model_type": "internvl_chat"}


@pytest.fixture
def official(published: tuple[dict[str, Tensor], dict[str, Any]], tmp_path: Path) -> Path:
    return write(tmp_path / "official", *published)


def in_hf_naming(
    published: tuple[dict[str, Tensor], dict[str, Any]], newer: bool
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The same model as transformers' repositories name it."""
    tensors, config = published
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(HEADS):
            renamed[name] = tensor
            continue
        for ours, part in convert(SELF1E_RULES, name, tensor).items():
            theirs = ours.removeprefix("internvl.")
            if not newer:
                theirs = theirs.replace("model.language_model.", "language_model.model.")
                theirs = theirs.replace("lm_head.", "language_model.lm_head.")
                theirs = theirs.removeprefix("model.")
            renamed[theirs] = part
    text = dict(config["llm_config"], model_type="qwen2", architectures=None)
    vision = {k: v for k, v in config["vision_config"].items() if k != "architectures"}
    return renamed, {"model_type": "internvl", "text_config": text, "vision_config": vision}


def answers(folder: Path) -> list[Prediction]:
    model = load_model(str(folder), "cpu")
    frame = Frame(draw_scene(900_000, 96).pixels, "scene", 0)
    asks = [
        Ask(0, Task.REFER, Expression("the red cup")),
        Ask(0, Task.REASON, Question("what keeps food cold?")),
    ]
    return model.answer(model.encode([frame]), asks)


def test_a_converted_folder_answers_as_the_official_one(official: Path, tmp_path: Path) -> None:
    assert official_system(official) == "self1e"
    convert_folder(official, tmp_path / "ours", {"source": "a test"})
    first, again = answers(official), answers(tmp_path / "ours")
    assert any(p.segments for p in first)
    assert [p.segments for p in first] == [p.segments for p in again]


@pytest.mark.parametrize("newer", [False, True])
def test_every_naming_becomes_the_same_model(
    published: tuple[dict[str, Tensor], dict[str, Any]], official: Path, tmp_path: Path, newer: bool
) -> None:
    renamed = in_hf_naming(published, newer)
    assert any(name.startswith("vision_tower.") for name in renamed[0]) is not newer
    other = write(tmp_path / "hf", *renamed)
    ours, theirs = (open_official_self1e(folder) for folder in (official, other))
    assert ours.sizes == theirs.sizes and theirs.coverage.complete
    first, again = dict(ours.read(ours.sources)), dict(theirs.read(theirs.sources))
    assert first.keys() == again.keys()
    assert all(again[name].equal(tensor) for name, tensor in first.items())


def test_a_base_model_lacks_the_heads_and_begins_a_training(
    published: tuple[dict[str, Tensor], dict[str, Any]], tmp_path: Path
) -> None:
    tensors, config = published
    bare = {name: t for name, t in tensors.items() if not name.startswith(HEADS)}
    bare = {name: t for name, t in bare.items() if "lm_head" not in name}
    rows = len(tokenizer_of(tmp_path, published)) - 1
    table = "language_model.model.embed_tokens.weight"
    bare[table] = bare[table][:rows]
    folder = write(tmp_path / "base", bare, config)
    with pytest.raises(WeightsError):
        load_model(str(folder), "cpu")
    torch.manual_seed(0)
    model, words, anew = start_from_base(folder)
    embeddings, head = model.internvl.get_input_embeddings().weight, model.internvl.lm_head.weight
    assert len(embeddings) == len(head) == len(words) == rows + 1
    assert embeddings[:rows].equal(bare[table]) and head[:rows].equal(bare[table])
    torch.testing.assert_close(embeddings[rows], bare[table].mean(0), atol=1e-4, rtol=0)
    assert anew == ("refill",)
    assert 0.015 < model.refill.amplify[0].weight.std() < 0.025


def tokenizer_of(where: Path, published: tuple[dict[str, Tensor], dict[str, Any]]) -> Any:
    return open_official_self1e(write(where / "whole", *published)).tokenizer


def test_where_the_tokenizer_has_no_seg_it_is_added(official: Path) -> None:
    file = official / "tokenizer.json"
    table = json.loads(file.read_text())
    count = len(table["model"]["vocab"])
    del table["model"]["vocab"][SEG]
    table["added_tokens"] = [one for one in table["added_tokens"] if one["content"] != SEG]
    file.write_text(json.dumps(table))
    words = open_official_self1e(official).tokenizer
    assert words.seg == count or words.seg == count - 1
    assert words.ids(f"cup {SEG}")[-1] == words.seg
    assert words.rust.decode([words.seg]) == SEG  # no special token, as with the authors


def test_a_tokenizer_larger_than_the_model(official: Path) -> None:
    tokenizer().save(official / "tokenizer.json")
    with pytest.raises(WeightsError, match="the model only 128: they are not of one model"):
        open_official_self1e(official)


def test_numbers_arrive_as_published(official: Path, tmp_path: Path) -> None:
    opened = open_official_self1e(official)
    for name, names in opened.coverage.used.items():
        whole = np.concatenate([t.numpy() for _, t in opened.read(names)])
        assert np.array_equal(whole, opened.tensors[name].numpy())
