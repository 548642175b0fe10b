"""`vlseg weights` for every system: a miniature as published, converted, asked and verified."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from miniatures.every import MINIATURES
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from vlseg_cli.models.parity.golden import golden_files
from vlseg_cli.models.proposals.options import Choosing, ProposalOptions
from vlseg_cli.schema import Ask, Frame, Question, Task

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen.png"
QUESTION = "what keeps food cold?"
# LLM-Seg chooses among proposals, here some of them; the others show the best that they drew.
THRESHOLDS = {"hrseg": 0.65}
# By what weights.toml calls them; MVP-LM's authors have published nothing.
NAMES = {"psalm": "psalm", "hyperseg": "hyperseg-3b", "self1e": "self1e-2b", "hrseg": "llm-seg"}
# A layout of golden files, and an output of the first stage.
OUTPUTS = {
    "psalm": ("psalm", "swin/res2"),
    "hyperseg": ("hyperseg", "ref/swin_res2"),
    "mvp-lm": ("mvp-lm", "vision/res2"),
    "self1e": ("self1e", "vit_embeddings"),
    "hrseg": ("llmseg", "dino_conv"),
}


@pytest.fixture(scope="module", params=MINIATURES)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def official(system: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    miniature = MINIATURES[system]
    return miniature.write(tmp_path_factory.mktemp(system) / "official", miniature.tensors())


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """The things in the kitchen as proposals."""
    things = json.loads(KITCHEN.with_suffix(".json").read_text())["annotations"]
    listed = [{"segmentation": thing["segmentation"]} for thing in things]
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "kitchen.json").write_text(json.dumps(listed))
    return tmp_path / "drawn"


def test_a_converted_folder_answers_as_the_golden_weights(
    vlseg, system: str, official: Path, drawn: Path, tmp_path: Path
) -> None:
    converted = vlseg("weights", "convert", official, tmp_path / "ours")
    assert converted.code == 0 and "official tensors used" in converted.err
    asked = ["reason", KITCHEN, QUESTION, "--threshold", THRESHOLDS.get(system, 0), "--json"]
    asked += ["--proposals", drawn] if system == "hrseg" else []
    theirs, ours = (vlseg(*asked, "--model", folder) for folder in (official, tmp_path / "ours"))
    assert masks(theirs.records) == masks(ours.records) == golden_masks(system, drawn)


def masks(records: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    found = [segment["segmentation"] for segment in records[0]["segments"]]
    assert found
    return found


def golden_masks(system: str, drawn: Path) -> list[Mapping[str, Any]]:
    """Of the weights in the golden file themselves, which have been in no folder."""
    model = MINIATURES[system].segmenter()
    if isinstance(model, Choosing):
        model.choose_proposals(ProposalOptions(str(drawn)))
    frame = Frame(np.asarray(Image.open(KITCHEN).convert("RGB")), str(KITCHEN))
    ask = Ask(0, Task.REASON, Question(QUESTION), THRESHOLDS.get(system, 0.0))
    (answered,) = model.answer(model.encode([frame]), [ask])
    return [dict(segment.rle) for segment in answered.segments]


def test_a_folder_is_verified(vlseg, system: str, official: Path) -> None:
    layout, _ = OUTPUTS[system]
    checked = vlseg("weights", "verify", official)
    assert checked.code == 0 and "official tensors used" in checked.err
    assert f"outputs of the authors' code in {layout}-a.safetensors agree" in checked.err


def test_what_does_not_compute_alike_is_not_verified(
    vlseg, system: str, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, of files that were placed by hand, wherever there is a name."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    asked = NAMES.get(system, str(official))
    if system in NAMES:
        shutil.copytree(official, tmp_path / "home" / "vlseg" / asked / "official")
    layout, output = OUTPUTS[system]
    (tmp_path / "goldens").mkdir()
    (golden,) = golden_files(layout)
    with safe_open(str(golden), "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        tensors[f"out/{output}"] += 1
        save_file(tensors, tmp_path / "goldens" / f"{layout}-x.safetensors", file.metadata())
    checked = vlseg("weights", "verify", asked, "--goldens", tmp_path / "goldens")
    assert checked.code == 5 and "Traceback" not in checked.err
    assert f"{layout}-x.safetensors: {output} is off by" in checked.err.splitlines()[-1]
    count = sum(len(files) for _, _, files in os.walk(official))
    assert (f"{asked}: all {count} files are as pinned" in checked.err) == (system in NAMES)
