"""YouTube-VIS average precision: whole tracks instead of single masks.

The rules of ``youtubevos/cocoapi`` (ytvoseval.py; Yang et al. 2019, section 4): COCO AP with the
IoU of tubes, tracks sized by their mean area, and groups that overlap like anything else.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance
from vlseg_cli.schema import RLE

Tube = Sequence[RLE | None]  # one mask per frame, None where the track is absent


class VideoAveragePrecision(AveragePrecision):
    """AP and AR over videos. The area of a true track: ``mean_area`` of those annotated."""

    limits = (128.0**2, 256.0**2)

    def area(self, shape: Any) -> float:
        """See ``AveragePrecision``: the mean over frames."""
        from pycocotools import mask as coco

        return mean_area(None if rle is None else float(coco.area(rle)) for rle in shape)

    def overlaps(
        self, detections: Sequence[Detection], truths: Sequence[TrueInstance]
    ) -> NDArray[np.float64]:
        """See ``AveragePrecision``."""
        tubes: Any = [[one.shape for one in instances] for instances in (detections, truths)]
        pairs = [[tube_iou(guess, goal) for goal in tubes[1]] for guess in tubes[0]]
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


def mean_area(areas: Iterable[float | None]) -> float:
    """Mean over the frames where the track covers anything; 0 if there is none."""
    covered = [area for area in areas if area]
    return float(np.mean(covered)) if covered else 0.0
