"""The drawn world's score sheet: which meter each answer goes to, and the final numbers.

Every answer also gets a score of its own, by which the report picks its pictures.
"""

from collections.abc import Iterator
from typing import Any

from vlseg_cli.evaluation.answers import answered_mask
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.name_scores import NameScores
from vlseg_cli.evaluation.refer import ReferMeter
from vlseg_cli.schema import Categories, Frame, Prediction, Query, Sample, Task
from vlseg_cli.worlds.categories import STUFF
from vlseg_cli.worlds.regions import REGION_KINDS
from vlseg_cli.worlds.sentence import KINDS


class WorldScores:
    """Takes one answered scene at a time; ``summary`` may be asked at any moment."""

    def __init__(self) -> None:
        self._scenes = 0
        things = [index for index, is_stuff in enumerate(STUFF) if not is_stuff]
        self._names = NameScores(len(STUFF), things)
        self._meters: dict[Task, dict[str, ReferMeter]] = {
            Task.REFER: {kind: ReferMeter() for kind in KINDS},
            Task.REASON: {wording: ReferMeter() for wording in ("seen", "heldout")},
            Task.INTERACTIVE: {kind: ReferMeter() for kind in REGION_KINDS},
        }

    def add(self, sample: Sample, predictions: list[Prediction]) -> list[Case]:
        """Count the answers to all queries of a scene, in their order; returns each as a case."""
        self._scenes += 1
        pairs = zip(sample.queries, predictions, strict=True)
        return [case for pair in pairs for case in self._count(sample.frame, *pair)]

    def summary(self) -> dict[str, Any]:
        """All scores, fractions in [0, 1]; None where nothing was asked."""
        refer = self._meters[Task.REFER]
        every = ReferMeter()
        for meter in refer.values():
            every.merge(meter)
        return {
            "refer": {
                "cIoU": every.ciou,
                "gIoU": every.giou,
                "P50": every.precision(0.5),
                "by_kind": {k: {"gIoU": m.giou, "n": len(m)} for k, m in refer.items()},
            },
            "reason": {
                k: {"gIoU": m.giou, "cIoU": m.ciou} for k, m in self._meters[Task.REASON].items()
            },
            **self._names.summary(),
            "interactive": {k: {"mIoU": m.giou} for k, m in self._meters[Task.INTERACTIVE].items()},
            "scenes": self._scenes,
        }

    def _count(self, frame: Frame, query: Query, prediction: Prediction) -> Iterator[Case]:
        if isinstance(query.prompt, Categories):
            yield Case(frame, query, prediction, *self._names.add(query, prediction))
            return
        meter = self._meters[query.task][query.kind]
        for position, truth in enumerate(query.masks):
            iou = meter.add(answered_mask(prediction, position), truth, query.ignore)
            yield Case(frame, query, prediction, "IoU", iou, position)
