"""The drawn world's score sheet: which meter each answer goes to, and the final numbers.

Every answer also gets a score of its own, by which the report picks its pictures.
"""

from collections.abc import Iterator
from typing import Any

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.rec import BoxAccuracy
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.name_scores import NameScores
from vlseg_cli.evaluation.truth import predicted_box, predicted_mask, true_box
from vlseg_cli.schema import Categories, Frame, Prediction, Query, Sample, Task
from vlseg_cli.synthetic.categories import STUFF
from vlseg_cli.synthetic.regions import REGION_KINDS
from vlseg_cli.synthetic.scene import EXPORTED_KINDS, KINDS


class WorldScores:
    """Takes one answered scene at a time; ``summary`` may be asked at any moment."""

    def __init__(self) -> None:
        self._scenes = 0
        things = [index for index, is_stuff in enumerate(STUFF) if not is_stuff]
        self._names = NameScores(len(STUFF), things)
        self._ground = BoxAccuracy()
        self._meters: dict[Task, dict[str, MaskIoU]] = {
            Task.REFER: {kind: MaskIoU() for kind in KINDS},
            Task.REASON: {wording: MaskIoU() for wording in ("seen", "heldout")},
            Task.INTERACTIVE: {kind: MaskIoU() for kind in REGION_KINDS},
        }

    def add(self, sample: Sample, predictions: list[Prediction]) -> list[Case]:
        """Count the answers to all queries of a scene, in their order; returns each as a case."""
        self._scenes += 1
        pairs = zip(sample.queries, predictions, strict=True)
        return [case for pair in pairs for case in self._count(sample.frame, *pair)]

    def summary(self) -> dict[str, Any]:
        """All scores, fractions in [0, 1]; None where nothing was asked."""
        every = MaskIoU()
        for meter in self._meters[Task.REFER].values():
            every.merge(meter)
        total, grounded = every.result(), self._ground.result()
        refer, reason, interactive = (
            {kind: meter.result() for kind, meter in self._meters[task].items()}
            for task in (Task.REFER, Task.REASON, Task.INTERACTIVE)
        )
        return {
            "refer": {
                "cIoU": total.ciou,
                "gIoU": total.giou,
                "P50": total.precision[0.5],
                "by_kind": with_exported_kinds(
                    {kind: {"gIoU": one.giou, "n": one.n} for kind, one in refer.items()}
                ),
            },
            "reason": {kind: {"gIoU": one.giou, "cIoU": one.ciou} for kind, one in reason.items()},
            "ground": {"acc50": grounded.accuracy, "n": grounded.n},
            **self._names.summary(),
            "interactive": {kind: {"mIoU": one.giou} for kind, one in interactive.items()},
            "scenes": self._scenes,
        }

    def _count(self, frame: Frame, query: Query, prediction: Prediction) -> Iterator[Case]:
        if isinstance(query.prompt, Categories):
            yield Case(frame, query, prediction, *self._names.add(query, prediction))
            return
        if query.task is Task.GROUND:
            score = self._ground.add(predicted_box(prediction), true_box(query))
            yield Case(frame, query, prediction, "IoU", score)
            return
        meter = self._meters[query.task][query.kind]
        for position, mask in enumerate(query.masks):
            overlap = meter.add(predicted_mask(prediction, position), mask, query.ignore)
            yield Case(frame, query, prediction, "IoU", overlap.iou, position)


def with_exported_kinds(by_kind: dict[str, Any]) -> dict[str, Any]:
    """Kinds of sentences under today's names and those of the first release, which others read."""
    known = {old: by_kind[new] for new, old in EXPORTED_KINDS.items() if new in by_kind}
    return {**by_kind, **known}
