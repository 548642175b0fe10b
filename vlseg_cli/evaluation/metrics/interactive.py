"""Interactive segmentation: cIoU and mIoU over all regions, apart for each way of pointing.

PSALM's ``eval/eval_interactive.py`` on COCO-Interactive: every instance is one sample and the best
proposal its answer. Instances whose prompt came out empty are not asked there, so the number of
samples differs between points, scribbles, boxes and masks and is part of the result.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.refer import MaskIoU, MaskScore


@dataclass(frozen=True, slots=True)
class InteractiveScore:
    """cIoU and mIoU in [0, 1] over ``n`` regions, None if there were none."""

    ciou: float | None
    miou: float | None
    n: int


class InteractiveIoU:
    """One mask per region that was pointed at; kinds are any words ('point', 'box', …)."""

    def __init__(self) -> None:
        self._kinds: dict[str, MaskIoU] = {}

    def add(
        self,
        kind: str,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_],
        ignore: NDArray[np.bool_] | None = None,
    ) -> MaskScore:
        """Count one region's (H, W) answer. Raises InputError if the sizes differ."""
        return self._kinds.setdefault(kind, MaskIoU()).add(prediction, truth, ignore)

    def merge(self, other: "InteractiveIoU") -> None:
        """Take over all regions of another meter."""
        for kind, meter in other._kinds.items():
            self._kinds.setdefault(kind, MaskIoU()).merge(meter)

    def result(self) -> dict[str, InteractiveScore]:
        """Scores by kind, kinds in alphabetical order."""
        scores = {}
        for kind, meter in sorted(self._kinds.items()):
            whole = meter.result()
            scores[kind] = InteractiveScore(whole.ciou, whole.giou, whole.n)
        return scores
