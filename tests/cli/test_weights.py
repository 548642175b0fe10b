"""`vlseg weights`: from a name to an answer, each step in words."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from miniatures import psalm
from PIL import Image

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.schema import Frame, PromptRequest, Question, Task
from vlseg_cli.weights.catalog import catalog


@pytest.fixture
def served(hub: Any, official_psalm: Path) -> Any:
    """The golden PSALM, published."""
    hub.files = {file.name: file.read_bytes() for file in official_psalm.iterdir()}
    return hub


def test_from_a_name_to_an_answer(vlseg, served: Any, official_psalm: Path, kitchen: Path) -> None:
    """Fetched, checked, converted: the masks are those of the published files themselves."""
    pulled = vlseg("weights", "pull", "psalm")
    assert pulled.code == 0 and pulled.out == ""
    assert f"fetching {next(iter(sorted(served.files)))}" in pulled.err
    assert "5 of them fetched, commit aaaaaaaaaaaa" in pulled.err
    assert "dropped: mask tokens are the queries' content" in pulled.err
    assert vlseg("weights", "path", "psalm").out.strip().endswith("home/vlseg/psalm/model")
    asked = ("reason", kitchen, "what keeps food cold?", "--threshold", 0, "--json", "--model")
    served.asked.clear()
    ours, theirs = vlseg(*asked, "psalm"), vlseg(*asked, official_psalm)
    assert ours.code == theirs.code == 0 and served.asked == []
    masks, scores = masks_and_scores(ours.records)
    assert masks == masks_and_scores(theirs.records)[0] == golden_masks(kitchen) != []
    # Where a tensor begins in its file decides the order of sums, and so the last digit.
    assert scores == pytest.approx(masks_and_scores(theirs.records)[1], abs=1e-5)
    card = json.loads((served_home() / "psalm" / "model" / "config.json").read_text())
    assert card["provenance"]["commit"] == "a" * 40
    assert card["provenance"]["files"].keys() == served.files.keys()


def masks_and_scores(records: list[dict[str, Any]]) -> tuple[list[Any], list[float]]:
    segments = records[0]["segments"]
    return [one["segmentation"] for one in segments], [one["score"] for one in segments]


def golden_masks(kitchen: Path) -> list[dict[str, Any]]:
    """The same answer of the golden weights themselves, which no file of ours has been through."""
    model = psalm.segmenter()
    frame = Frame(np.asarray(Image.open(kitchen)), "kitchen")
    ask = PromptRequest(0, Task.REASON, Question("what keeps food cold?"), 0.0)
    (answered,) = model.predict(model.encode([frame]), [ask])
    return [dict(segment.rle) for segment in answered.segments]


def served_home() -> Path:
    return Path(os.environ["HF_HOME"]) / "vlseg"


def test_the_life_of_a_name(vlseg, served: Any) -> None:
    def state() -> str:
        lines = vlseg("weights", "list").out.splitlines()
        return next(line.split()[1] for line in lines if line.startswith("psalm "))

    assert state() == "-"
    missing = vlseg("weights", "path", "psalm")
    assert missing.code == 0 and missing.out.strip().endswith("vlseg/psalm/official")
    refused = vlseg("reason", "x.png", "a?", "--model", "psalm")
    assert "pull psalm' fetches it (about 3.2 GB)" in refused.err
    assert vlseg("weights", "pull", "psalm", "--quiet").err == ""
    assert state() == "converted" and "pinned" in vlseg("weights", "show", "psalm").out
    checked = vlseg("weights", "verify", "psalm")
    assert checked.code == 0 and "all 5 files are as pinned" in checked.err
    assert "official tensors used" in checked.err
    assert "one forward pass, all outputs finite" in checked.err
    shutil.rmtree(served_home() / "psalm" / "model")
    assert state() == "fetched"
    assert vlseg("weights", "path", "psalm").out.strip().endswith("official")
    assert "converted to" in vlseg("weights", "convert", "psalm").err
    assert "MB freed" in vlseg("weights", "rm", "psalm").err and state() == "-"
    assert vlseg("weights", "verify", "psalm").code == 5


def test_everything_is_segmented_without_a_name(vlseg, official_psalm: Path, kitchen: Path) -> None:
    """The names are those that the authors trained with."""
    asked = ("segment", kitchen, "--model", official_psalm, "--task", "semantic", "--json")
    (record,) = vlseg(*asked).records
    labels = {segment["label"] for segment in record["segments"]}
    assert labels and labels <= set(class_table("coco-panoptic").names)


def test_a_pull_that_broke_off_is_not_loaded(vlseg, served: Any, kitchen: Path) -> None:
    served.sent = {"model-00002-of-00002.safetensors": b"x"}
    assert vlseg("weights", "pull", "psalm").code == 5
    assert "in part" in vlseg("weights", "list").out
    said = vlseg("refer", kitchen, "a cup", "--model", "psalm")
    assert said.code == 5 and "'vlseg weights pull psalm' resumes" in said.err


def test_a_base_answers_nothing(vlseg) -> None:
    said = vlseg("weights", "convert", "phi-1_5")
    assert (
        said.code == 5
        and "a base for training other models: it cannot be used by itself" in said.err
    )


def test_a_folder_is_converted_to_another(vlseg, official_psalm: Path, tmp_path: Path) -> None:
    assert vlseg("weights", "convert", official_psalm).code == 2
    assert vlseg("weights", "convert", official_psalm, tmp_path / "ours").code == 0
    assert (tmp_path / "ours" / "model.safetensors").is_file()
    assert vlseg("weights", "convert", tmp_path / "nowhere", tmp_path / "x").code == 5


@pytest.mark.parametrize("name", catalog())
def test_every_entry_is_shown_whole(vlseg, name: str) -> None:
    shown = vlseg("weights", "show", name)
    assert shown.code == 0 and catalog()[name].title in shown.out
    assert "None" not in shown.out and "()" not in shown.out


@pytest.mark.parametrize("verb", ["show", "pull", "verify", "path", "rm"])
def test_a_misspelled_name(vlseg, verb: str) -> None:
    said = vlseg("weights", verb, "hyperseg-3")
    assert said.code == 5 and "did you mean 'hyperseg-3b'?" in said.err


@pytest.mark.parametrize("verb", ["pull", "verify", "convert", "rm"])
def test_the_embedded_one_is_simply_there(vlseg, verb: str) -> None:
    said = vlseg("weights", verb, "embedded")
    assert said.code == 5 and "embedded comes with vlseg" in said.err
    assert vlseg("weights", "path", "embedded").out.strip().endswith("embedded")
