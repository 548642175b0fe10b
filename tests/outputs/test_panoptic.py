"""The ids in the PNG are those of the JSON, and nothing is lost in its colours."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.panoptic import PanopticSink, ids_to_rgb
from vlseg_cli.schema import Frame, Prediction


@given(arrays.arrays(np.int32, (3, 4), elements=st.integers(0, 2**24 - 1)))
def test_ids_come_back_from_colours(ids: np.ndarray) -> None:
    red, green, blue = np.moveaxis(ids_to_rgb(ids).astype(int), -1, 0)
    assert np.array_equal(red + 256 * green + 65536 * blue, ids)


def test_png_and_json_agree(
    folder: OutputFolder, frame: Frame, panoptic: Prediction, reason: Prediction
) -> None:
    sink = PanopticSink(folder)
    sink.write(frame, "kitchen", [reason, panoptic])
    sink.close()
    data = json.loads((folder.root / "panoptic.json").read_text())
    annotation = data["annotations"][0]
    assert annotation["image_id"] == data["images"][0]["id"]
    pixels = np.asarray(Image.open(folder.root / "panoptic" / annotation["file_name"])).astype(int)
    ids = pixels @ [1, 256, 65536]
    assert set(np.unique(ids)) == {0} | {info["id"] for info in annotation["segments_info"]}
    names = {category["id"]: category for category in data["categories"]}
    for info, segment in zip(annotation["segments_info"], panoptic.segments, strict=True):
        assert info["area"] == (ids == info["id"]).sum()
        assert info["bbox"] == [int(side) for side in segment.bbox]
        assert names[info["category_id"]]["name"] == segment.label
    assert [names[i]["isthing"] for i in (1, 2, 3)] == [1, 0, 1]


def test_answers_without_a_map_write_no_picture(
    folder: OutputFolder, frame: Frame, reason: Prediction
) -> None:
    sink = PanopticSink(folder)
    sink.write(frame, "kitchen", [reason])
    sink.close()
    assert json.loads((folder.root / "panoptic.json").read_text())["annotations"] == []
    assert not (folder.root / "panoptic").exists()
