"""COCO panoptic: a PNG per frame with id = R + 256 G + 65536 B, and ``panoptic.json`` beside them.

Id 0 is void; id i is the i-th segment of that frame.
"""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.outputs.coco import image_record
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Frame, PanopticMap, Prediction


class PanopticSink:
    """Writes ``panoptic/NAME.png`` at once and ``panoptic.json`` at the end."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._categories = CategoryTable()
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def write(self, frame: Frame, name: str, predictions: Sequence[Prediction]) -> None:
        """Write the map of each prediction that has one: panoptic and semantic answers do."""
        for prediction in predictions:
            if prediction.panoptic is not None:
                self._write_map(frame, name, prediction, prediction.panoptic)

    def close(self) -> None:
        """Write the JSON file."""
        data = {
            "images": self._images,
            "annotations": self._annotations,
            "categories": self._categories.records(),
        }
        self._folder.write(json.dumps(data).encode(), "panoptic.json")

    def _write_map(
        self, frame: Frame, name: str, prediction: Prediction, owners: PanopticMap
    ) -> None:
        buffer = io.BytesIO()
        Image.fromarray(ids_to_rgb(owners.ids)).save(buffer, "PNG")
        self._folder.write(buffer.getvalue(), "panoptic", f"{name}.png")
        self._categories.add(prediction.prompt)
        self._images.append(image_record(frame, len(self._images) + 1))
        self._annotations.append(
            {
                "image_id": len(self._images),
                "file_name": f"{name}.png",
                "segments_info": self._segments_info(prediction),
            }
        )

    def _segments_info(self, prediction: Prediction) -> list[dict[str, Any]]:
        return [
            {
                "id": number,
                "category_id": self._categories.id_of(prediction.prompt, segment),
                "area": segment.area,
                "bbox": [int(side) for side in segment.bbox],
                "iscrowd": 0,
            }
            for number, segment in enumerate(prediction.segments, start=1)
        ]


def ids_to_rgb(ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Ids (H, W) in [0, 2^24) to colours (H, W, 3)."""
    return np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=-1).astype(np.uint8)
