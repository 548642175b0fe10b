"""`vlseg export sam`, and what runs with it answers as before."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from models.tiny_hrseg import SAM_SIZES, make_sure, tiny_hrseg

from vlseg_cli.prompts.world import world_tokenizer
from vlseg_cli.weights.folder import save_folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a tiny HRSeg and its SAM, which proposes something."""
    return save_tiny(tmp_path / "tiny")


def save_tiny(folder: Path, **others: Any) -> Path:
    tokenizer = world_tokenizer()
    hrseg = tiny_hrseg(tokenizer, **SAM_SIZES, **others)
    make_sure(hrseg.sam)
    settings = {"architecture": "hrseg", "config": asdict(hrseg.config)}
    save_folder(folder, hrseg.state_dict(), settings, tokenizer.save, "# A card\n")
    return folder


def test_the_same_answer_by_both_engines(vlseg, kitchen: Path, model: Path) -> None:
    wrote = vlseg("export", "sam", "--model", model, "--json")
    assert json.loads(wrote.out)["out"] == str(model / "onnx")
    ask = ("refer", "kitchen.png", "the cup", "--model", model, "--save", "none", "--json")
    by_torch, by_onnx = vlseg(*ask), vlseg(*ask, "--proposals-engine", "onnx")
    (theirs,), (ours,) = by_torch.records, by_onnx.records
    assert ours["segments"] == theirs["segments"] != []
    other = save_tiny(kitchen.parent / "other", windows=1)
    ask = ("refer", "kitchen.png", "the cup", "--model", other, "--save", "none", "--json")
    missing = vlseg(*ask, "--proposals-engine", "onnx")
    assert missing.code == 5 and "holds no exported SAM" in missing.err
    foreign = vlseg(*ask, "--proposals-engine", model / "onnx")
    assert foreign.code == 5 and "was exported from other weights" in foreign.err


def test_what_has_no_sam(vlseg, kitchen: Path) -> None:
    ran = vlseg("export", "sam", "--model", "embedded")
    assert ran.code == 2 and "has no SAM" in ran.err
    ran = vlseg("refer", kitchen, "the cup", "--proposals-engine", "onnx")
    assert ran.code == 2 and "--proposals-engine is for models that choose" in ran.err


def test_an_engine_for_what_is_no_sam(vlseg, kitchen: Path, model: Path) -> None:
    ask = ("refer", kitchen, "the cup", "--model", model, "--proposals-engine", "onnx")
    for who in ("embedded", kitchen.parent):
        ran = vlseg(*ask, "--proposals", who)
        assert ran.code == 2 and f"runs a SAM, and {who} is none" in ran.err


def test_options_of_the_other_kind(vlseg) -> None:
    for words in (("sam",), ("sam", "--model", "x", "--to", "coco"), ("out",),
                  ("out", "--to", "coco", "--model", "x")):  # fmt: skip
        ran = vlseg("export", *words)
        assert ran.code == 2 and "takes --" in ran.err and ran.err.count("\n") == 1


def test_without_the_package(vlseg, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    ran = vlseg("export", "sam", "--model", model)
    assert ran.code == 2 and "pip install" in ran.err and not (model / "onnx").exists()
