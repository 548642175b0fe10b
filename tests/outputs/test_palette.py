"""Palette PNGs hold object numbers, with the palette and file layout of DAVIS."""

import json
from dataclasses import replace

import numpy as np
import pytest
from outputs.sample_records import box, in_video, record
from PIL import Image

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.palette import write_palette
from vlseg_cli.schema import OutputError, Record, decode_rle

LEFT, RIGHT, SMALL = box(20, 30, 0, 0, 15, 20), box(20, 30, 15, 0, 15, 20), box(20, 30, 2, 2, 4, 4)


def read(folder: OutputFolder, name: str, frame: str) -> Image.Image:
    """A PNG that was written."""
    return Image.open(folder.root / "palette" / "Annotations" / name / f"{frame}.png")


def test_pixel_values_are_object_numbers_with_the_davis_palette(folder: OutputFolder) -> None:
    write_palette([record(SMALL, RIGHT, LEFT, prompt=("a", "b", "c"))], folder)
    image = read(folder, "a", "00000")
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), np.where(SMALL, 1, np.where(RIGHT, 2, 3)))
    colors = np.array(image.getpalette()).reshape(-1, 3)
    assert colors[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert colors[[9, 12, 22, 255]].tolist() == [
        [191, 0, 0],
        [64, 0, 128],
        [22, 22, 22],
        [255, 255, 255],
    ]


def test_a_sentence_is_one_object_in_all_frames(folder: OutputFolder) -> None:
    nothing = replace(record(LEFT, prompt="the dog"), segments=())
    cat = record(RIGHT, SMALL, prompt="the cat")
    write_palette([in_video(one, frame) for frame in (0, 3) for one in (nothing, cat)], folder)
    for frame in ("00000", "00003"):
        assert np.array_equal(np.asarray(read(folder, "film", frame)), 2 * (RIGHT | SMALL))
    meta = json.loads((folder.root / "palette" / "meta.json").read_text())
    assert meta == {
        "videos": {
            "film": {"objects": {"2": {"category": "the cat", "frames": ["00000", "00003"]}}}
        }
    }


def test_tracks_keep_their_numbers(folder: OutputFolder) -> None:
    one = record(LEFT, RIGHT, prompt=("dog", "cat"))
    tracked = tuple(
        replace(segment, track_id=number)
        for segment, number in zip(one.segments, (9, 4), strict=True)
    )
    write_palette([in_video(replace(one, segments=tracked), 0)], folder)
    assert np.array_equal(np.asarray(read(folder, "film", "00000")), np.where(LEFT, 9, 4))


def test_items_are_written_to_separate_folders(folder: OutputFolder, reason_record: Record) -> None:
    write_palette(
        [reason_record, in_video(reason_record, 2, "x"), in_video(reason_record, 2, "y")], folder
    )
    meta = json.loads((folder.root / "palette" / "meta.json").read_text())
    assert list(meta["videos"]) == ["kitchen", "x", "y"]
    mask = decode_rle(reason_record.segments[0].rle)
    assert np.array_equal(np.asarray(read(folder, "y", "00002")), mask)


def test_more_objects_than_palette_entries_is_a_one_line_error(folder: OutputFolder) -> None:
    names = tuple(str(number) for number in range(256))
    with pytest.raises(OutputError, match="1 to 255"):
        write_palette([record(*[SMALL] * 256, prompt=names)], folder)
    assert not (folder.root / "palette" / "meta.json").exists()
