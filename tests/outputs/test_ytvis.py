"""Tracks in YouTube-VIS format: an annotation per object, a mask or null per frame."""

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from outputs.sample_records import box, in_video, record

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.ytvis import write_youtube_vis
from vlseg_cli.schema import RLE, Record, decode_rle

LEFT, RIGHT = box(20, 30, 0, 0, 15, 20), box(20, 30, 15, 0, 15, 20)
NAMES = ("dog", "cat")


def tracked(one: Record, *numbers: int) -> Record:
    segments = (
        replace(segment, track_id=number, score=0.25 * number)
        for segment, number in zip(one.segments, numbers, strict=True)
    )
    return replace(one, segments=tuple(segments))


def written(folder: OutputFolder, *records: Record) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    folder.make()
    write_youtube_vis(records, folder)
    data = json.loads((folder.root / "ytvis.json").read_text())
    return data, json.loads((folder.root / "ytvis_results.json").read_text())


@pytest.fixture
def video_records() -> list[Record]:
    both = tracked(record(LEFT, RIGHT, prompt=NAMES), 1, 3)
    alone = tracked(record(RIGHT, prompt=NAMES), 1)
    nothing = replace(alone, segments=())
    return [in_video(one, frame) for frame, one in ((0, both), (2, nothing), (4, alone))]


def test_an_object_has_a_mask_or_null_in_each_frame(
    folder: OutputFolder, video_records: list[Record]
) -> None:
    data, results = written(folder, *video_records)
    (video,) = data["videos"]
    assert video["file_names"] == ["film/00000.jpg", "film/00002.jpg", "film/00004.jpg"]
    assert (video["id"], video["length"], video["height"], video["width"]) == (1, 3, 20, 30)
    first, third = data["annotations"]
    assert (first["track_id"], third["track_id"]) == (1, 3)
    assert [mask and decode_rle(RLE(**mask)).sum() for mask in first["segmentations"]] == [
        LEFT.sum(),
        None,
        RIGHT.sum(),
    ]
    assert third["segmentations"][1:] == third["bboxes"][1:] == third["areas"][1:] == [None, None]
    assert third["bboxes"][0] == [15, 0, 15, 20] and third["areas"][0] == 300
    assert [one["segmentations"] for one in results] == [
        first["segmentations"],
        third["segmentations"],
    ]
    assert [one["score"] for one in results] == [0.25, 0.75]


def test_an_object_has_its_most_frequent_category(folder: OutputFolder) -> None:
    frames = [
        tracked(record(LEFT, prompt=NAMES), 2),
        replace(one := tracked(record(LEFT, RIGHT, prompt=NAMES), 9, 2), segments=one.segments[1:]),
    ]
    surer = replace(frames[1], segments=(replace(frames[1].segments[0], score=0.9),))
    data, _ = written(folder, in_video(frames[0], 0), in_video(surer, 1))
    (annotation,) = data["annotations"]
    (name,) = (c["name"] for c in data["categories"] if c["id"] == annotation["category_id"])
    assert name == "cat"


def test_videos_are_separate_and_images_are_left_out(folder: OutputFolder) -> None:
    one = tracked(record(LEFT, prompt="the dog"), 1)
    data, results = written(
        folder, one, in_video(one, 0, "x"), in_video(one, 0, "y"), in_video(one, 1, "y")
    )
    assert [(v["file_name"], v["length"]) for v in data["videos"]] == [("x.mp4", 1), ("y.mp4", 2)]
    assert [a["video_id"] for a in data["annotations"]] == [1, 2]
    assert [len(one["segmentations"]) for one in results] == [1, 2]
    assert [c["name"] for c in data["categories"]] == ["the dog"]


def test_without_tracks_the_file_is_a_valid_empty_data_set(folder: OutputFolder) -> None:
    data, results = written(folder, in_video(record(LEFT), 0))
    assert data["annotations"] == results == []
    assert len(data["videos"]) == 1
    assert written(folder)[0]["videos"] == []


def test_memory_barely_grows_with_the_length_of_a_video(folder: OutputFolder) -> None:
    one = tracked(record(LEFT, RIGHT, prompt=NAMES), 1, 2)

    class Many:
        def __init__(self, count: int) -> None:
            self.count = count

        def __iter__(self) -> Iterator[Record]:
            return (in_video(one, frame) for frame in range(self.count))

    folder.make()
    peaks = []
    for count in (50, 400):
        tracemalloc.start()
        write_youtube_vis(Many(count), folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 350 * 2 * 64
    assert list(folder.root.glob(".*")) == []


def test_the_masks_are_those_of_the_records(
    folder: OutputFolder, video_records: list[Record]
) -> None:
    data, _ = written(folder, *video_records)
    masks = [decode_rle(RLE(**m)) for a in data["annotations"] for m in a["segmentations"] if m]
    assert np.array_equal(masks[0], LEFT) and np.array_equal(masks[2], RIGHT)
