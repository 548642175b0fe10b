"""What we write as COCO, pycocotools reads back to the same masks."""

import json

import numpy as np
from pycocotools.coco import COCO

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.coco import COCOSink
from vlseg_cli.schema import Frame, Prediction, decode_rle


def write(folder: OutputFolder, frame: Frame, *frames: list[Prediction]) -> COCO:
    """Write frames (the same picture each time) and open the data set."""
    sink = COCOSink(folder)
    for predictions in frames:
        sink.write(frame, "kitchen", predictions)
    sink.close()
    return COCO(folder.root / "coco.json")


def test_the_data_set_is_read_back_by_pycocotools(
    folder: OutputFolder, frame: Frame, panoptic: Prediction, reason: Prediction
) -> None:
    coco = write(folder, frame, [reason], [panoptic])
    assert coco.getImgIds() == [1, 2]
    image = coco.loadImgs(1)[0]
    assert (image["file_name"], image["width"], image["height"]) == ("rooms/kitchen.png", 80, 60)
    names = [one["name"] for one in coco.loadCats(coco.getCatIds())]
    assert names == ["what keeps food cold?", "cup", "sky", "table"]
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=2))
    for annotation, segment in zip(annotations, panoptic.segments, strict=True):
        assert np.array_equal(coco.annToMask(annotation), decode_rle(segment.rle))
        assert annotation["area"] == segment.area
        assert coco.loadCats(annotation["category_id"])[0]["name"] == segment.label


def test_the_results_are_taken_by_load_res(
    folder: OutputFolder, frame: Frame, panoptic: Prediction
) -> None:
    coco = write(folder, frame, [panoptic])
    results = coco.loadRes(str(folder.root / "coco_results.json"))
    assert len(results.getAnnIds()) == 3
    listed = json.loads((folder.root / "coco_results.json").read_text())
    assert set(listed[0]) == {"image_id", "category_id", "bbox", "score", "segmentation"}


def test_prompts_on_one_frame_share_its_image(
    folder: OutputFolder, frame: Frame, panoptic: Prediction, reason: Prediction
) -> None:
    coco = write(folder, frame, [reason, panoptic])
    assert coco.getImgIds() == [1]
    assert len(coco.getAnnIds(imgIds=1)) == 4


def test_a_run_without_answers_is_a_valid_empty_data_set(
    folder: OutputFolder, frame: Frame
) -> None:
    coco = write(folder, frame)
    assert coco.getImgIds() == [] and coco.getAnnIds() == []
    assert json.loads((folder.root / "coco_results.json").read_text()) == []
