"""ReVOS and MeViS scores against HyperSeg's evaluators: both PNG codings, missing answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco

from vlseg_cli.evaluation.metrics.video_expressions import (
    ExpressionJF,
    ExpressionType,
    ReVOS,
    ReVOSScore,
)


class Data:
    """The truth and the answers of one expression at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos = self._json("meta_expressions_valid_")["videos"]
        self.masks = self._json("mask_dict")
        self.foreground = self._json("mask_dict_foreground")

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())

    def truth(self, video: str, expression: str) -> np.ndarray:
        """How many of the objects that are meant cover each pixel."""
        meta = self.videos[video]
        total = np.zeros((len(meta["frames"]), meta["height"], meta["width"]), np.uint8)
        for number in meta["expressions"][expression]["anno_id"]:
            for frame, rle in enumerate(self.masks[str(number)]):
                if rle:
                    total[frame] += coco.decode(rle)
        return total

    def scene(self, video: str) -> list[int]:
        """How many pixels are of any object, frame by frame."""
        return [int(coco.decode(rle).sum()) for rle in self.foreground[video]["masks_rle"]]

    def answer(self, video: str, expression: str) -> np.ndarray | None:
        folder = self.folder / "Annotations" / video / expression
        files = [folder / f"{frame}.png" for frame in self.videos[video]["frames"]]
        size = self.videos[video]["width"], self.videos[video]["height"]
        if not all(file.exists() and Image.open(file).size == size for file in files):
            return None
        return np.stack([np.asarray(Image.open(file).convert("L")) for file in files])


def percents(score: ReVOSScore) -> dict[str, float | None]:
    values = {"J": score.j, "F": score.f, "A": score.a, "R": score.r, "JF": score.jf}
    return {name: None if value is None else 100 * value for name, value in values.items()}


def test_revos_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    data = Data(goldens / "revos")
    meters = {"png255": ReVOS(raw_pixels=True), "png01": ReVOS(raw_pixels=True)}
    each: dict[str, dict[str, list[Any]]] = {coding: {} for coding in meters}
    plain = ExpressionJF()
    for video, meta in data.videos.items():
        for expression, words in meta["expressions"].items():
            truth, answer = data.truth(video, expression), data.answer(video, expression)
            for coding, meter in meters.items():
                stored = answer
                if answer is not None and coding == "png01":
                    stored = (answer > 0).astype(np.uint8)
                kind = ExpressionType(words["type_id"])
                score = meter.add(kind, stored, truth, data.scene(video))
                each[coding][f"{video}_{expression}"] = [score.j, score.f, score.a, score.r]
            if answer is None:
                plain.add_missing()
            else:
                plain.add(answer > 0, truth > 0)
    ours: dict[str, Any] = {}
    for coding, meter in meters.items():
        result = meter.result()
        ours[f"per_expression_JFAR_{coding}"] = each[coding]
        ours[f"summary_{coding}"] = {
            "referring": percents(result.referring),
            "reason": percents(result.reasoning),
            "overall": percents(result.overall),
        }
    mean = plain.result()
    ours["mevis_style"] = {"J": mean.j, "F": mean.f, "J&F": mean.jf}
    agrees(ours)
