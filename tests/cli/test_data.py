"""`vlseg data`: toy data that `vlseg eval` accepts, reports on a folder, and captions."""

import json
from pathlib import Path

import pytest
from models.tiny_vlm import save_tiny_vlm
from PIL import Image

from vlseg_cli.datasets.captions import captions_by_image, read_captioned
from vlseg_cli.synthetic.draw import draw_scene


def test_toy_data_is_found(vlseg, tmp_path: Path) -> None:
    assert vlseg("data", "toy", "try", "reasonseg-val", "--scenes", "3").code == 0
    ran = vlseg("data", "check", "try", "--json")
    assert ran.code == 0
    states = {one["benchmark"]: one["state"] for one in ran.records[0]}
    assert states["reasonseg-val"] == "in part" and states["coco-panoptic"] == "missing"
    assert "reasonseg-val: in part, 3 of 200 samples" in ran.err
    assert "missing: refcoco-val, " in ran.err


def test_what_a_killed_writer_left_goes_with_the_next(vlseg, tmp_path: Path) -> None:
    leftover = tmp_path / "try" / "reason_seg" / ".0123456789abcdef.part"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    assert vlseg("data", "toy", "try", "reasonseg-val", "--scenes", "1").code == 0
    assert not list((tmp_path / "try").rglob(".*"))


def test_exit_codes(vlseg, tmp_path: Path) -> None:
    assert vlseg("data", "check", "nowhere").code == 4
    vlseg("data", "toy", "try", "reasonseg-val", "--scenes", "3")
    assert vlseg("data", "check", "try", "--benchmark", "coco-panoptic").code == 4
    assert vlseg("data", "check", "try", "--benchmark", "coco").code == 2
    next((tmp_path / "try").rglob("*.json")).write_text("[")
    ran = vlseg("data", "check", "try", "--thorough", "--benchmark", "reasonseg-val")
    assert ran.code == 3 and "is damaged" in ran.err


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_vlm(tmp_path_factory.mktemp("vlm"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in (1, 2, 3):
        Image.fromarray(draw_scene(seed, 64).pixels).save(folder / f"{seed}.png")
    return folder


KEEP_ALL = ("--least-words", 1, "--information", 0, "--tokens", 12, "--quiet")


def test_every_image_gets_several_captions(vlseg, vlm: Path, photos: Path) -> None:
    ran = vlseg("data", "caption", photos, "--model", vlm, "--captions", 3, *KEEP_ALL)
    assert ran.code == 0
    images = list(read_captioned(Path("vlseg-captions/captions.jsonl")))
    assert [Path(image.image).name for image in images] == ["1.png", "2.png", "3.png"]
    assert all(1 <= len(image.captions) + image.refused <= 3 for image in images)
    texts = [text for texts in captions_by_image(images).values() for text in texts]
    assert len(set(texts)) > 1
    assert not any(" may " in f" {text} " for text in texts)


def test_a_killed_run_is_resumed_to_the_same_file(vlseg, vlm: Path, photos: Path) -> None:
    words = ("data", "caption", photos, "--model", vlm, "--captions", 2, *KEEP_ALL)
    vlseg(*words, "--out", "whole")
    whole = Path("whole/captions.jsonl").read_bytes()
    first = whole.index(b"\n") + 1
    Path("cut").mkdir()
    Path("cut/captions.jsonl").write_bytes(whole[: first + 20])  # half a line was being written
    Path("cut/captions.json").write_bytes(Path("whole/captions.json").read_bytes())
    assert vlseg(*words, "--out", "cut").code == 0
    assert Path("cut/captions.jsonl").read_bytes() == whole


def test_a_finished_file_needs_no_model(vlseg, vlm: Path, photos: Path, tmp_path: Path) -> None:
    words = ("data", "caption", photos, "--model", vlm, *KEEP_ALL)
    assert vlseg(*words).code == 0
    (vlm / "model.safetensors").rename(tmp_path / "away")
    assert vlseg(*words).code == 0
    (tmp_path / "away").rename(vlm / "model.safetensors")


def test_other_options_are_refused(vlseg, vlm: Path, photos: Path) -> None:
    words = ("data", "caption", photos, "--model", vlm, *KEEP_ALL)
    vlseg(*words)
    ran = vlseg(*words, "--prompt", "What is this?")
    assert ran.code == 2 and "other options" in ran.err
    assert vlseg(*words, "--prompt", "What is this?", "--overwrite").code == 0
    settings = json.loads(Path("vlseg-captions/captions.json").read_text())
    assert settings["prompt"] == "What is this?"


def test_a_broken_image_fails_alone(vlseg, vlm: Path, photos: Path) -> None:
    (photos / "2.png").write_bytes(b"no picture")
    ran = vlseg("data", "caption", photos, "--model", vlm, *KEEP_ALL[:-1])
    assert ran.code == 3 and "2.png" in ran.err
    images = read_captioned(Path("vlseg-captions/captions.jsonl"))
    assert [Path(image.image).name for image in images] == ["1.png", "3.png"]


def test_usage_errors(vlseg, vlm: Path, photos: Path, tmp_path: Path) -> None:
    assert "give --model DIR" in vlseg("data", "caption", photos).err
    assert "There is no input" in vlseg("data", "caption", "--model", vlm).err
    ran = vlseg("data", "caption", photos, "--model", photos)
    assert ran.code == 5 and "is not a model folder" in ran.err
    (tmp_path / "config.json").write_text("{}")
    ran = vlseg("data", "caption", photos, "--model", tmp_path)
    assert ran.code == 5 and "no readable vision-language model" in ran.err


def test_captions_of_others_are_never_replaced(vlseg, vlm: Path, photos: Path) -> None:
    Path("mine").mkdir()
    Path("mine/captions.jsonl").write_text("of others\n")
    for more in ((), ("--overwrite",)):
        ran = vlseg("data", "caption", photos, "--model", vlm, "--out", "mine", *KEEP_ALL, *more)
        assert ran.code == 2 and "did not write" in ran.err and ran.err.count("\n") == 1
    assert Path("mine/captions.jsonl").read_text() == "of others\n"
