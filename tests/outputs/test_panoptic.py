"""The ids in the PNG are those of the JSON, and nothing is lost in its colors."""

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from outputs.answers import in_video
from PIL import Image

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.panoptic import ids_to_rgb, segment_ids, write_panoptic
from vlseg_cli.schema import Prediction, Record


@given(arrays.arrays(np.int32, (3, 4), elements=st.integers(0, 2**24 - 1)))
def test_ids_come_back_from_colors(ids: np.ndarray) -> None:
    red, green, blue = np.moveaxis(ids_to_rgb(ids).astype(int), -1, 0)
    assert np.array_equal(red + 256 * green + 65536 * blue, ids)


def written(folder: OutputFolder, *records: Record) -> dict[str, Any]:
    """Write records and read the JSON back."""
    write_panoptic(records, folder)
    data: dict[str, Any] = json.loads((folder.root / "panoptic.json").read_text())
    return data


def ids_of(folder: OutputFolder, annotation: dict[str, Any]) -> np.ndarray:
    """The ids in the picture of an annotation, as the format defines them."""
    pixels = np.asarray(Image.open(folder.root / "panoptic" / annotation["file_name"]))
    return pixels.astype(int) @ [1, 256, 65536]


def test_the_map_is_that_of_the_model(mapped: Record, panoptic: Prediction) -> None:
    assert panoptic.panoptic is not None
    assert np.array_equal(segment_ids(mapped), panoptic.panoptic.ids)


def test_png_and_json_agree(folder: OutputFolder, mapped: Record, asked: Record) -> None:
    data = written(folder, asked, mapped)
    (annotation,) = data["annotations"]
    assert annotation["image_id"] == data["images"][0]["id"]
    ids = ids_of(folder, annotation)
    assert set(np.unique(ids)) == {0} | {info["id"] for info in annotation["segments_info"]}
    names = {category["id"]: category for category in data["categories"]}
    for info, segment in zip(annotation["segments_info"], mapped.segments, strict=True):
        assert info["area"] == (ids == info["id"]).sum()
        assert info["bbox"] == [int(side) for side in segment.bbox]
        assert names[info["category_id"]]["name"] == segment.label
    assert [names[i]["isthing"] for i in (1, 2, 3)] == [1, 0, 1]


def test_every_map_has_a_picture_of_its_own(folder: OutputFolder, mapped: Record) -> None:
    film = in_video(mapped, 12)
    data = written(folder, mapped, mapped, film, film)
    assert [one["file_name"] for one in data["annotations"]] == [
        "kitchen.png",
        "kitchen/2.png",
        "film/000012.png",
        "film/000012/2.png",
    ]
    assert all((ids_of(folder, one) == ids_of(folder, data["annotations"][0])).all()
               for one in data["annotations"])  # fmt: skip
    assert [image.get("frame") for image in data["images"]] == [None, None, 12, 12]


def test_answers_without_a_map_write_no_picture(folder: OutputFolder, asked: Record) -> None:
    assert written(folder, asked)["annotations"] == []
    assert not (folder.root / "panoptic").exists()
