"""Objects that were pointed at once: followed through a video, or found in another view."""

from collections.abc import Sequence

import numpy as np

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.correspondence import CorrespondenceIoU
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.scorers.clips import id_map, predictions_of, still, tracked
from vlseg_cli.schema import ClipSample, Prediction


class VOSScorer:
    """DAVIS, semi-supervised: J&F, J and F over all objects; every clip has one query at most."""

    def __init__(self) -> None:
        self._meter = DavisSemiSupervised()

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for place, query in enumerate(sample.queries):
            answers = predictions_of(sample, predictions, place)
            shapes = [(one.height, one.width) for one in answers]
            truth = (
                id_map(dict(zip(query.objects, masks, strict=True)), shape)
                for frame, shape in enumerate(shapes)
                if (masks := query.masks(frame)) is not None
            )
            guess = (
                id_map(
                    {query.objects[number - 1]: mask for number, mask in tracked(one).items()},
                    shape,
                )
                for one, shape in zip(answers, shapes, strict=True)
            )
            scores = self._meter.add(sample.source, truth, guess)
            for number in range(len(query.objects)):
                score = scores[query.objects[number] - 1]
                jf = (score.j.mean + score.f.mean) / 2
                cases.append(still(sample, query, answers, "J&F", jf, number))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result()
        j, f = (None if one is None else one.mean for one in (found.j, found.f))
        measures = {"J&F": percent(found.jf), "J": percent(j), "F": percent(f)}
        return Result(measures, len(found.objects))


class CorrespondenceScorer:
    """Ego-Exo4D: mean IoU of what is shown in the first frame and found in the second."""

    def __init__(self) -> None:
        self._meter = CorrespondenceIoU()

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``."""
        cases = []
        for place, query in enumerate(sample.queries):
            answers, truth = predictions_of(sample, predictions, place), query.masks(1)
            assert truth is not None
            found = tracked(answers[1])
            for number, mask in enumerate(truth):
                iou = self._meter.add(found.get(number + 1, np.zeros(mask.shape, bool)), mask)
                cases.append(still(sample, query, answers, "IoU", iou, number))
        return cases

    def result(self) -> Result:
        """See ``Score``."""
        found = self._meter.result()
        return Result({"IoU": percent(found.iou)}, found.n)
