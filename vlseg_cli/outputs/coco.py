"""COCO instances: ``coco.json``, a whole data set of the predictions, and ``coco_results.json``.

The first opens in every annotation tool; the second is the list that ``COCO.loadRes`` and the
evaluation servers take. Both use the same image and category ids.
"""

import json
from collections.abc import Sequence
from typing import Any

from vlseg_cli import __version__
from vlseg_cli.outputs.categories import CategoryTable
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Frame, Prediction, Segment

_RESULT_KEYS = ("image_id", "category_id", "bbox", "score", "segmentation")


class COCOSink:
    """Gathers runs and boxes (some kB a frame, no pixels) and writes both files at the end."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._categories = CategoryTable()
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def write(self, frame: Frame, name: str, predictions: Sequence[Prediction]) -> None:  # noqa: ARG002
        """Take one frame as one image, whatever the number of prompts."""
        self._images.append(image_record(frame, len(self._images) + 1))
        for prediction in predictions:
            self._categories.add(prediction.prompt)
            for segment in prediction.segments:
                self._annotations.append(self._annotation(prediction, segment))

    def close(self) -> None:
        """Write both files."""
        data = {
            "info": {"description": f"Predictions of vlseg {__version__}"},
            "images": self._images,
            "categories": self._categories.records(),
            "annotations": self._annotations,
        }
        results = [{key: one[key] for key in _RESULT_KEYS} for one in self._annotations]
        self._folder.write(json.dumps(data).encode(), "coco.json")
        self._folder.write(json.dumps(results).encode(), "coco_results.json")

    def _annotation(self, prediction: Prediction, segment: Segment) -> dict[str, Any]:
        return {
            "id": len(self._annotations) + 1,
            "image_id": len(self._images),
            "category_id": self._categories.id_of(prediction.prompt, segment),
            "segmentation": segment.rle,
            "area": segment.area,
            "bbox": list(segment.bbox),
            "iscrowd": 0,
            "score": round(segment.score, 6),
        }


def image_record(frame: Frame, image_id: int) -> dict[str, Any]:
    """One entry of the ``images`` list; ``file_name`` is the path as the user wrote it."""
    return {
        "id": image_id,
        "file_name": frame.source,
        "width": frame.width,
        "height": frame.height,
    }
