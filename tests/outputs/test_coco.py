"""COCO files as pycocotools reads them; each category name has one id."""

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from outputs.sample_records import in_video, record
from pycocotools.coco import COCO

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.coco import CategoryTable, write_coco
from vlseg_cli.schema import Record, Task, decode_rle, segment_from_mask


def written(folder: OutputFolder, *records: Record) -> COCO:
    """Write records and open the data set."""
    write_coco(records, folder)
    return COCO(folder.root / "coco.json")


def test_the_data_set_is_read_back_by_pycocotools(
    folder: OutputFolder, panoptic_record: Record, reason_record: Record
) -> None:
    coco = written(folder, reason_record, in_video(panoptic_record, 7))
    assert coco.getImgIds() == [1, 2]
    image = coco.loadImgs(1)[0]
    assert image == {"id": 1, "file_name": "rooms/kitchen.png", "width": 80, "height": 60}
    names = [one["name"] for one in coco.loadCats(coco.getCatIds())]
    assert names == ["what keeps food cold?", "cup", "sky", "table"]
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=2))
    for annotation, segment in zip(annotations, panoptic_record.segments, strict=True):
        assert np.array_equal(coco.annToMask(annotation), decode_rle(segment.rle))
        assert annotation["area"] == segment.area
        assert coco.loadCats(annotation["category_id"])[0]["name"] == segment.label


def test_a_video_frame_is_an_image_with_its_index_and_time(
    folder: OutputFolder, reason_record: Record
) -> None:
    coco = written(folder, in_video(reason_record, 5), in_video(reason_record, 10))
    assert [(one["frame"], one["time"]) for one in coco.loadImgs([1, 2])] == [(5, 0.2), (10, 0.4)]
    assert coco.loadImgs(2)[0]["file_name"] == "film.mp4"


def test_a_tracked_segment_has_a_track_id(folder: OutputFolder, reason_record: Record) -> None:
    tracked = replace(reason_record, segments=(replace(reason_record.segments[0], track_id=4),))
    coco = written(folder, in_video(tracked, 5), in_video(reason_record, 6))
    first, second = coco.loadAnns(coco.getAnnIds())
    assert first["track_id"] == 4 and "track_id" not in second


def test_the_results_are_loaded_by_load_res(folder: OutputFolder, panoptic_record: Record) -> None:
    results = written(folder, panoptic_record).loadRes(str(folder.root / "coco_results.json"))
    assert len(results.getAnnIds()) == 3
    listed = json.loads((folder.root / "coco_results.json").read_text())
    assert set(listed[0]) == {"image_id", "category_id", "bbox", "score", "segmentation"}


def test_prompts_on_one_frame_share_its_image(
    folder: OutputFolder, panoptic_record: Record, reason_record: Record
) -> None:
    coco = written(folder, reason_record, panoptic_record)
    assert coco.getImgIds() == [1]
    assert len(coco.getAnnIds(imgIds=1)) == 4


def test_a_job_without_results_is_a_valid_empty_data_set(folder: OutputFolder) -> None:
    coco = written(folder)
    assert coco.getImgIds() == [] and coco.getAnnIds() == []
    assert json.loads((folder.root / "coco_results.json").read_text()) == []


class Many:
    """Records of ``count`` video frames, generated on iteration."""

    def __init__(self, record: Record, count: int) -> None:
        self.record, self.count = record, count

    def __iter__(self) -> Iterator[Record]:
        return (in_video(self.record, frame) for frame in range(self.count))


def test_memory_does_not_grow_with_the_number_of_records(
    folder: OutputFolder, reason_record: Record
) -> None:
    peaks = []
    for count in (100, 1000):
        tracemalloc.start()
        write_coco(Many(reason_record, count), folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (folder.root / "coco.json").stat().st_size > 200_000
    assert peaks[1] < peaks[0] + 50_000


MASK = np.ones((2, 2), bool)


def test_names_are_numbered_in_the_order_of_the_prompts() -> None:
    table = CategoryTable()
    table.add(replace(record(MASK, prompt=("cup", "sky")), stuff=(1,)))
    table.add(record(MASK, prompt="the red cup"))
    table.add(record(MASK, prompt=("sky", "dog")))
    assert list(table.records()) == [
        {"id": 1, "name": "cup", "isthing": 1},
        {"id": 2, "name": "sky", "isthing": 0},
        {"id": 3, "name": "the red cup", "isthing": 1},
        {"id": 4, "name": "dog", "isthing": 1},
    ]


def test_segments_find_their_category() -> None:
    table, names = CategoryTable(), record(MASK, prompt=("cup", "dog"))
    table.add(names)
    assert table.id_of(names, segment_from_mask(MASK, 1, "a dog", 1)) == 2
    assert table.id_of(record(MASK, prompt="it"), segment_from_mask(MASK, 1, "whatever")) == 3


@pytest.mark.parametrize("task", [Task.INTERACTIVE, Task.VOS])
def test_region_prompts_use_the_labels_of_their_segments(task: Task) -> None:
    table = CategoryTable()
    segments = (segment_from_mask(MASK, 1, "point 1"), segment_from_mask(MASK, 1, "box 2"))
    reason_record = replace(record(MASK), task=task, prompt=("point", "box"), segments=segments)
    table.add(reason_record)
    assert [one["name"] for one in table.records()] == ["point 1", "box 2"]
    assert table.id_of(reason_record, segments[1]) == 2
