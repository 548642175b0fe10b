"""The ids in the PNG equal those in the JSON."""

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from outputs.sample_records import in_video
from PIL import Image

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.panoptic import ids_to_rgb, segment_ids, write_panoptic
from vlseg_cli.schema import Prediction, Record


@given(arrays.arrays(np.int32, (3, 4), elements=st.integers(0, 2**24 - 1)))
def test_ids_are_decoded_from_colors(ids: np.ndarray) -> None:
    red, green, blue = np.moveaxis(ids_to_rgb(ids).astype(int), -1, 0)
    assert np.array_equal(red + 256 * green + 65536 * blue, ids)


def written(folder: OutputFolder, *records: Record) -> dict[str, Any]:
    """Write records and read the JSON back."""
    write_panoptic(records, folder)
    data: dict[str, Any] = json.loads((folder.root / "panoptic.json").read_text())
    return data


def ids_of(folder: OutputFolder, annotation: dict[str, Any]) -> np.ndarray:
    """The ids in the PNG of an annotation, as the format defines them."""
    pixels = np.asarray(Image.open(folder.root / "panoptic" / annotation["file_name"]))
    return pixels.astype(int) @ [1, 256, 65536]


def test_the_map_equals_the_predicted_one(panoptic_record: Record, panoptic: Prediction) -> None:
    assert panoptic.panoptic is not None
    assert np.array_equal(segment_ids(panoptic_record), panoptic.panoptic.ids)


def test_png_and_json_agree(
    folder: OutputFolder, panoptic_record: Record, reason_record: Record
) -> None:
    data = written(folder, reason_record, panoptic_record)
    (annotation,) = data["annotations"]
    assert annotation["image_id"] == data["images"][0]["id"]
    ids = ids_of(folder, annotation)
    assert set(np.unique(ids)) == {0} | {info["id"] for info in annotation["segments_info"]}
    names = {category["id"]: category for category in data["categories"]}
    for info, segment in zip(annotation["segments_info"], panoptic_record.segments, strict=True):
        assert info["area"] == (ids == info["id"]).sum()
        assert info["bbox"] == [int(side) for side in segment.bbox]
        assert names[info["category_id"]]["name"] == segment.label
    assert [names[i]["isthing"] for i in (1, 2, 3)] == [1, 0, 1]


def test_every_map_has_its_own_png(folder: OutputFolder, panoptic_record: Record) -> None:
    video_record = in_video(panoptic_record, 12)
    data = written(folder, panoptic_record, panoptic_record, video_record, video_record)
    assert [one["file_name"] for one in data["annotations"]] == [
        "kitchen.png",
        "kitchen/2.png",
        "film/000012.png",
        "film/000012/2.png",
    ]
    assert all((ids_of(folder, one) == ids_of(folder, data["annotations"][0])).all()
               for one in data["annotations"])  # fmt: skip
    assert [image.get("frame") for image in data["images"]] == [None, None, 12, 12]


def test_predictions_without_a_map_write_no_png(
    folder: OutputFolder, reason_record: Record
) -> None:
    assert written(folder, reason_record)["annotations"] == []
    assert not (folder.root / "panoptic").exists()
