"""YouTube-VIS average precision: whole tracks instead of single masks.

The rules of ``youtubevos/cocoapi`` (ytvoseval.py; Yang et al. 2019, section 4): COCO AP with the
IoU of tubes, tracks sized by their mean area, and groups that overlap like anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.average_precision import MatchTable
from vlseg_cli.schema import RLE

Tube = Sequence[RLE | None]  # one mask per frame, None where the track is absent


@dataclass(frozen=True, slots=True)
class TrueTrack:
    """areas: px per frame as the annotation states them, None where the track is absent."""

    category: int
    tube: Tube
    areas: Sequence[float | None]
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class DetectedTrack:
    """score: the higher the surer, of any range."""

    category: int
    tube: Tube
    score: float


class VideoAveragePrecision(MatchTable[TrueTrack, DetectedTrack]):
    """AP and AR over videos."""

    limits = (128.0**2, 256.0**2)

    def true_area(self, truth: TrueTrack) -> float:
        """See ``MatchTable``: the mean over frames."""
        return _mean_area(truth.areas)

    def detected_area(self, detection: DetectedTrack) -> float:
        """See ``MatchTable``: the mean over frames."""
        from pycocotools import mask as coco

        return _mean_area(
            [None if rle is None else float(coco.area(rle)) for rle in detection.tube]
        )

    def overlaps(
        self, detections: Sequence[DetectedTrack], truths: Sequence[TrueTrack]
    ) -> NDArray[np.float64]:
        """See ``MatchTable``."""
        pairs = [[tube_iou(guess.tube, goal.tube) for goal in truths] for guess in detections]
        return np.array(pairs, np.float64).reshape(len(detections), len(truths))


def tube_iou(first: Tube, second: Tube) -> float:
    """Pixels both cover over pixels either covers, all frames together; 0 if both are empty."""
    from pycocotools import mask as coco

    both = either = 0.0
    for one, other in zip(first, second, strict=True):
        if one is not None and other is not None:
            common = float(coco.area(coco.merge([one, other], intersect=True)))
            both += common
            either += float(coco.area(one)) + float(coco.area(other)) - common
        elif (alone := one or other) is not None:
            either += float(coco.area(alone))
    return both / either if either else 0.0


def _mean_area(areas: Sequence[float | None]) -> float:
    """Mean over the frames where the track covers anything; 0 if there is none."""
    covered = [area for area in areas if area]
    return float(np.mean(covered)) if covered else 0.0
