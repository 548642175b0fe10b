"""COCO average precision of boxes or masks: matched image by image, ranked at the end.

Matching and accumulation are those of ``pycocotools/cocoeval.py`` itself: AP averages the precision
at 101 recalls over the IoU thresholds .50:.05:.95, with at most 100 detections of a category in an
image. Whole tracks: see ytvis.py.
"""

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import RLE, InputError

STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
_MISS, _HIT, _IGNORED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class AveragePrecisionResult:
    """The twelve COCO numbers by name and AP by category id, in [0, 1]; None without truth."""

    stats: dict[str, float | None]
    per_category: dict[int, float | None]


Shape = RLE | tuple[float, float, float, float] | Sequence[RLE | None]
"""A mask; a box x, y, w, h in px; or a tube: a mask per frame, None where the track is absent."""


@dataclass(frozen=True, slots=True)
class TrueInstance:
    """area: px as the annotation states it. is_crowd: a group that any number may match."""

    category: int
    shape: Shape
    area: float
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """score: higher is more confident, of any range."""

    category: int
    shape: Shape
    score: float


class _Matches(NamedTuple):
    """One image, one category: scores (D,), outcome (A sizes, T thresholds, D), truths (A,)."""

    scores: NDArray[np.float64]
    outcome: NDArray[np.uint8]
    truths: NDArray[np.int64]


class AveragePrecision:
    """AP and AR over images, of masks or of boxes: all shapes are of one kind.

    categories: the ids to be scored; other instances are left out. Samples are named by all ints
    or all strings; equal scores rank in the order of the sorted names, as in the evaluator, in any
    order of adding.
    """

    limits = (32.0**2, 96.0**2)  # px² between small and medium, and medium and large instances

    def __init__(self, categories: Iterable[int]) -> None:
        self._matches: dict[int, dict[Any, _Matches]] = {c: {} for c in sorted(set(categories))}
        self._samples: set[int | str] = set()

    def add(
        self, sample: int | str, truths: Sequence[TrueInstance], detections: Sequence[Detection]
    ) -> None:
        """Count one image or video. Raises InputError if it was counted before."""
        self._register(sample)
        for category, matches in self._matches.items():
            goals = [one for one in truths if one.category == category]
            guesses = [one for one in detections if one.category == category]
            if goals or guesses:
                matches[sample] = self._matched(goals, guesses)

    def area(self, shape: Any) -> float:
        """px of a detection."""
        from pycocotools import mask as coco

        return shape[2] * shape[3] if isinstance(shape, tuple) else float(coco.area(shape))

    def overlaps(
        self, detections: Sequence[Detection], truths: Sequence[TrueInstance]
    ) -> NDArray[np.float64]:
        """IoU of every pair, (D, N); with a group, the share of the detection inside it."""
        from pycocotools import mask as coco

        shapes = [
            [list(one.shape) if isinstance(one.shape, tuple) else one.shape for one in instances]
            for instances in (detections, truths)  # pycocotools does not accept a tuple as a box
        ]
        ious = coco.iou(*shapes, [one.is_crowd for one in truths])
        return np.reshape(ious, (len(detections), len(truths)))

    def _register(self, sample: int | str) -> None:
        if sample in self._samples:
            raise InputError(f"{sample!r} is counted twice: give every image exactly once.")
        self._samples.add(sample)

    def _matched(self, goals: Sequence[TrueInstance], guesses: Sequence[Detection]) -> _Matches:
        """The instances of one category in one sample, matched by the evaluator."""
        evaluator = _evaluator(self.limits)
        params = evaluator.params
        best = np.argsort([-guess.score for guess in guesses], kind="stable")[: params.maxDets[-1]]
        # The evaluator takes id 0 for "nothing matched": ids start at 1.
        evaluator._gts[0, 0] = [
            {
                "id": i,
                "area": goal.area,
                "iscrowd": goal.is_crowd,
                "ignore": goal.is_crowd,
            }
            for i, goal in enumerate(goals, start=1)
        ]
        evaluator._dts[0, 0] = [
            {"id": i, "area": self.area(guesses[n].shape), "score": guesses[n].score}
            for i, n in enumerate(best, start=1)
        ]
        evaluator.ious[0, 0] = self.overlaps(guesses, goals)[best] if goals else []
        by_size = [evaluator.evaluateImg(0, 0, size, params.maxDets[-1]) for size in params.areaRng]
        return _Matches(
            scores=np.array([guesses[n].score for n in best], np.float64),
            outcome=np.stack([_outcome(one) for one in by_size]),
            truths=np.array([np.count_nonzero(one["gtIgnore"] == 0) for one in by_size]),
        )

    def merge(self, other: Self) -> None:
        """Take over all samples of another meter. Raises InputError if they share one."""
        for sample in other._samples:
            self._register(sample)
        for category, matches in other._matches.items():
            self._matches[category] |= matches

    def result(self) -> AveragePrecisionResult:
        """The numbers over everything that was added."""
        evaluator = _evaluator(self.limits)
        evaluator.params.catIds = [0]
        precision, recall = zip(
            *(_curves(evaluator, matches) for matches in self._matches.values()), strict=True
        )
        # (T, 101 recalls, category, size, detections) and the same without recalls.
        evaluator.eval = {
            "precision": np.concatenate(precision, 2),
            "recall": np.concatenate(recall, 1),
        }
        with contextlib.redirect_stdout(io.StringIO()):
            evaluator.summarize()
        stats = {name: _known(value) for name, value in zip(STATS, evaluator.stats, strict=True)}
        means = evaluator.eval["precision"][:, :, :, 0, -1].mean(axis=(0, 1))
        per_category = dict(zip(self._matches, map(_known, means), strict=True))
        return AveragePrecisionResult(stats, per_category)


def _evaluator(limits: tuple[float, float]) -> Any:
    """A pycocotools evaluator without data, its sizes set: all, small, medium, large."""
    from pycocotools.cocoeval import COCOeval

    evaluator = COCOeval(iouType="segm")
    smallest, largest = evaluator.params.areaRng[0]
    small, large = limits
    evaluator.params.areaRng = [
        [smallest, largest],
        [smallest, small],
        [small, large],
        [large, largest],
    ]
    return evaluator


def _outcome(matched: dict[str, Any]) -> NDArray[np.uint8]:
    """(T, D): hit, miss or ignored, from the evaluator's record of one image."""
    hit = np.where(matched["dtMatches"] > 0, _HIT, _MISS)
    return np.where(matched["dtIgnore"], _IGNORED, hit).astype(np.uint8)


def _curves(evaluator: Any, matches: dict[Any, _Matches]) -> tuple[Any, Any]:
    """Precision and recall of one category, accumulated by the evaluator."""
    images = [matches[name] for name in sorted(matches)]
    evaluator.params.imgIds = list(range(len(images)))
    evaluator._paramsEval = evaluator.params
    evaluator.evalImgs = [
        {
            "dtScores": image.scores,
            "dtMatches": image.outcome[size] == _HIT,
            "dtIgnore": image.outcome[size] == _IGNORED,
            "gtIgnore": np.zeros(image.truths[size]),
        }
        for size in range(len(evaluator.params.areaRng))
        for image in images
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator.accumulate()
    return evaluator.eval["precision"], evaluator.eval["recall"]


def _known(value: float) -> float | None:
    """The evaluator writes -1 where there is no truth."""
    return float(value) if value > -1 else None
