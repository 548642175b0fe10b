"""`vlseg track`: several prompts at once, every frame, lasting track ids, all formats."""

import json
from pathlib import Path

import numpy as np
import pytest
from jobs.media_files import tree
from PIL import Image

from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange, decode_rle
from vlseg_cli.synthetic.scene import Scene


def test_several_prompts_at_once_in_every_format(
    vlseg, film: tuple[Scene, ...], tmp_path: Path
) -> None:
    prompts = ["--refer", "the fridge", "--reason", "what keeps food cold?", "--mask", "mask.png"]
    formats = "video,palette,coco,ytvis,jsonl"
    ran = vlseg("track", "film.mp4", *prompts, "--json", "--save", formats, "--out", "out")
    assert ran.code == 0, ran.err
    assert [one["frame"] for one in ran.records] == [n for n in range(9) for _ in range(3)]
    refer, reason, vos = ran.records[:3]
    assert [one["task"] for one in (refer, reason, vos)] == ["refer", "reason", "vos"]
    given = np.asarray(Image.open(tmp_path / "mask.png"), bool)
    assert np.array_equal(decode_rle(vos["segments"][0]["segmentation"]), given)
    for records, number in ((ran.records[::3], 1), (ran.records[1::3], 2), (ran.records[2::3], 3)):
        assert {s["track_id"] for one in records for s in one["segments"]} == {number}
        assert sum(bool(one["segments"]) for one in records) >= 7
    assert len(list(read_video(tmp_path / "out" / "video" / "film.mp4", FrameRange()))) == 9
    images = sorted((tmp_path / "out" / "palette" / "Annotations" / "film").iterdir())
    assert [path.name for path in images] == [f"{n:05d}.png" for n in range(9)]
    assert 3 in np.unique(np.asarray(Image.open(images[-1])))
    data = json.loads((tmp_path / "out" / "ytvis.json").read_text())
    assert [one["track_id"] for one in data["annotations"]] == [1, 2, 3]
    assert {len(one["segmentations"]) for one in data["annotations"]} == {9}
    before = tree(tmp_path / "out")
    again = vlseg("track", "film.mp4", *prompts, "--json", "--save", formats, "--out", "out")
    assert again.records == ran.records and tree(tmp_path / "out") == before


def test_objects_are_tracked_by_category(vlseg, film: tuple[Scene, ...]) -> None:
    ran = vlseg("track", "film.mp4", "--stride", "4", "--json", "--out", "out")
    assert [one["frame"] for one in ran.records] == [0, 4, 8]
    first, *_, last = ({s["track_id"]: s["label"] for s in one["segments"]} for one in ran.records)
    assert len(first) >= 3 and len(set(first) & set(last)) >= 2
    assert "Saved in out: video, coco, ytvis." in ran.err


def test_regions_in_any_frame_by_the_row(vlseg, film: tuple[Scene, ...], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        'input,regions,text,at\nfilm.mp4,"box 20,20,120,120",,3\nfilm.mp4,,the table,\n'
    )
    ran = vlseg("track", "--prompts", "rows.csv", "--json", "--save", "none", "--max-frames", "5")
    assert ran.code == 0, ran.err
    boxes = [one["segments"] for one in ran.records[::2]]
    assert boxes[:3] == [[], [], []] and boxes[3]
    assert {one["task"] for one in ran.records} == {"vos", "refer"}


def test_a_missing_frame_is_an_error(vlseg, film: tuple[Scene, ...]) -> None:
    ran = vlseg("track", "film.mp4", "--box", "20,20,90,90", "--save", "none", "--at", "40")
    assert ran.code == 2 and "ends with frame 8, before frame 40" in ran.err


def test_an_image_is_an_error(vlseg, kitchen: Path) -> None:
    ran = vlseg("track", "kitchen.png", "--refer", "the fridge", "--save", "none")
    assert ran.code == 3 and "only videos are tracked" in ran.err


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["film.mp4", "--at", "3"], "--at is the frame of"),
        (["film.mp4", "--batch-size", "4"], "frame by frame"),
        (["film.mp4", "--refer", " "], "expression is empty"),
        (["film.mp4", "--prompts", "rows.csv"], "contains its own"),
        (["--refer", "the dog"], "There is no input"),
        (["film.mp4", "--save", "panoptic"], "map of the whole image"),
    ],
)
def test_usage_errors(vlseg, words: list[str], output: str) -> None:
    ran = vlseg("track", *words)
    assert ran.code == 2 and output in ran.err
