"""`vlseg export` writes the files that the job itself would have written."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from shutil import copytree
from typing import Any
from unittest.mock import ANY

import pytest
from jobs.media_files import tree
from media.video_files import write_numbered_video
from models.tiny_hrseg import SAM_SIZES, make_sure, tiny_hrseg

from vlseg_cli.models.psalm.onnx_graphs import ENCODE, PROMPTS, REGION
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import miniature_tokenizer
from vlseg_cli.weights.folder import save_folder
from vlseg_cli.weights.resolve import EMBEDDED


def test_exported_formats_equal_those_of_the_job(vlseg, kitchen: Path) -> None:
    vlseg("segment", "kitchen.png", "--save", "overlay,panoptic,coco", "--out", "whole")
    vlseg("segment", "kitchen.png", "--save", "coco", "--out", "part")
    ran = vlseg("export", "part", "--to", "overlay,coco", "--out", "more", "--json")
    assert json.loads(ran.out)["formats"] == ["overlay", "coco"]
    here = kitchen.parent
    assert tree(here / "more") == {".vlseg-exported.json": ANY} | {
        name: digest
        for name, digest in tree(here / "whole").items()
        if name.startswith(("coco", "overlay"))
    }


def test_missing_inputs_are_reported(vlseg, kitchen: Path) -> None:
    vlseg("detect", "kitchen.png", "--save", "coco")
    kitchen.unlink()
    ran = vlseg("export", "vlseg-out", "--to", "overlay,jsonl", "--json")
    assert ran.code == 3
    assert [one["input"] for one in json.loads(ran.out)["failed"]] == ["kitchen.png"]


def test_a_truncated_video_is_exported_as_far_as_the_job_has_it(vlseg, tmp_path: Path) -> None:
    film = write_numbered_video(tmp_path / "film.mkv", 20)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 3 // 4])
    words = ["detect", "film.mkv", "--categories", "cup"]
    assert vlseg(*words, "--save", "overlay,video,yolo,jsonl", "--out", "whole").code == 3
    assert vlseg(*words, "--save", "jsonl", "--out", "part").code == 3
    ran = vlseg("export", "part", "--to", "overlay,video,yolo", "--out", "more", "--json")
    assert (ran.code, json.loads(ran.out)["failed"]) == (0, [])
    made = ("overlay", "video", "yolo")
    whole, more = ({n: d for n, d in tree(tmp_path / one).items() if n.startswith(made)}
                   for one in ("whole", "more"))  # fmt: skip
    assert more == whole and any(name.startswith("video/") for name in more)


def test_usage_errors_of_formats(vlseg, kitchen: Path) -> None:
    vlseg("detect", "kitchen.png", "--save", "coco")
    for line, output in [(["vlseg-out", "--to", "cocoo"], "did you mean 'coco'?"),
                        (["vlseg-out", "--to", "panoptic"], "needs a map"),
                        (["nowhere", "--to", "coco"], "holds no job")]:  # fmt: skip
        ran = vlseg("export", *line)
        assert ran.code == 2 and output in ran.err and ran.err.count("\n") == 1


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a tiny HRSeg and its SAM, which has proposals."""
    return save_tiny(tmp_path / "tiny")


def save_tiny(folder: Path, **others: Any) -> Path:
    tokenizer = miniature_tokenizer(words())
    hrseg = tiny_hrseg(tokenizer, **SAM_SIZES, **others)
    make_sure(hrseg.sam)
    settings = {"architecture": "hrseg", "config": asdict(hrseg.config)}
    save_folder(folder, hrseg.state_dict(), settings, tokenizer.save, "# A card\n")
    return folder


def test_torch_and_onnx_give_the_same_segments(vlseg, kitchen: Path, model: Path) -> None:
    wrote = vlseg("export", "sam", "--model", model, "--json")
    assert json.loads(wrote.out)["out"] == str(model / "onnx")
    command = ("refer", "kitchen.png", "the cup", "--model", model, "--save", "none", "--json")
    by_torch, by_onnx = vlseg(*command), vlseg(*command, "--proposals-engine", "onnx")
    (theirs,), (ours,) = by_torch.records, by_onnx.records
    assert ours["segments"] == theirs["segments"] != []
    other = save_tiny(kitchen.parent / "other", windows=1)
    command = ("refer", "kitchen.png", "the cup", "--model", other, "--save", "none", "--json")
    missing = vlseg(*command, "--proposals-engine", "onnx")
    assert missing.code == 5 and "holds no exported SAM" in missing.err
    foreign = vlseg(*command, "--proposals-engine", model / "onnx")
    assert foreign.code == 5 and "was exported from other weights" in foreign.err


def test_models_without_a_sam_are_errors(vlseg, kitchen: Path) -> None:
    ran = vlseg("export", "sam", "--model", "embedded")
    assert ran.code == 2 and "has no SAM" in ran.err
    ran = vlseg("refer", kitchen, "the cup", "--proposals-engine", "onnx")
    assert ran.code == 2 and "--proposals-engine is for models that select" in ran.err


def test_an_engine_for_proposals_without_a_sam_is_an_error(
    vlseg, kitchen: Path, model: Path
) -> None:
    command = ("refer", kitchen, "the cup", "--model", model, "--proposals-engine", "onnx")
    for who in ("embedded", kitchen.parent):
        ran = vlseg(*command, "--proposals", who)
        assert ran.code == 2 and f"runs a SAM, and {who} is not one" in ran.err


def test_options_of_jobs_and_graphs_are_not_mixed(vlseg) -> None:
    for line in (("sam",), ("sam", "--model", "x", "--to", "coco"), ("out",),
                 ("out", "--to", "coco", "--model", "x")):  # fmt: skip
        ran = vlseg("export", *line)
        assert ran.code == 2 and "takes --" in ran.err and ran.err.count("\n") == 1


def test_a_missing_onnx_package_is_an_error(
    vlseg, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    ran = vlseg("export", "sam", "--model", model)
    assert ran.code == 2 and "pip install" in ran.err and not (model / "onnx").exists()


def test_graphs_of_the_default_are_written_beside_its_weights(vlseg, tmp_path: Path) -> None:
    folder = Path(copytree(EMBEDDED, tmp_path / "default"))
    for file in folder.glob("*.onnx"):
        file.unlink()
    ran = vlseg("export", "psalm", "--model", folder, "--json")
    assert ran.code == 0 and json.loads(ran.out)["weights"]
    assert {file.name for file in folder.glob("*.onnx")} == {ENCODE, PROMPTS, REGION}
    exported = {file.name: file.stat().st_size for file in folder.glob("*.onnx")}
    shipped = {file.name: file.stat().st_size for file in EMBEDDED.glob("*.onnx")}
    assert exported == shipped and sum(exported.values()) < 4_000_000
    ran = vlseg("export", "psalm", "--model", folder, "--to", "coco")
    assert ran.code == 2 and "takes --model alone" in ran.err
