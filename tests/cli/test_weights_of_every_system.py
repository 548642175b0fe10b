"""`vlseg weights` for every system: a miniature as published, converted, asked and verified."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from miniatures.every import MINIATURES
from PIL import Image

from vlseg_cli.models.proposals.base import ProposalOptions, TakesProposals
from vlseg_cli.models.registry import open_proposer
from vlseg_cli.schema import Frame, PromptRequest, Question, Task

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
    if isinstance(model, TakesProposals):
        model.choose_proposals(ProposalOptions(str(drawn)), open_proposer)
    frame = Frame(np.asarray(Image.open(KITCHEN).convert("RGB")), str(KITCHEN))
    ask = PromptRequest(0, Task.REASON, Question(QUESTION), THRESHOLDS.get(system, 0.0))
    (answered,) = model.predict(model.encode([frame]), [ask])
    return [dict(segment.rle) for segment in answered.segments]


def test_a_folder_is_verified(vlseg, system: str, official: Path) -> None:
    checked = vlseg("weights", "verify", official)
    assert checked.code == 0 and "official tensors used" in checked.err
    assert "one forward pass, all outputs finite" in checked.err
