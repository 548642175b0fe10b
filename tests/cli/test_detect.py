"""`vlseg detect` with the embedded model: boxes are those of the masks."""

from pathlib import Path

import numpy as np

from vlseg_cli.schema import decode_rle


def test_boxes_fit_their_masks(vlseg, kitchen: Path) -> None:
    (record,) = vlseg("detect", kitchen, "--json").records
    assert record["task"] == "detect"
    for segment in record["segments"]:
        rows, columns = np.nonzero(decode_rle(segment["segmentation"]))
        x, y, width, height = segment["bbox"]
        assert (x, y) == (columns.min(), rows.min())
        assert (x + width - 1, y + height - 1) == (columns.max(), rows.max())


def test_only_named_objects_are_detected(vlseg, kitchen: Path) -> None:
    (record,) = vlseg("detect", kitchen, "--categories", "tree", "--json").records
    assert {segment["label"] for segment in record["segments"]} <= {"tree"}
