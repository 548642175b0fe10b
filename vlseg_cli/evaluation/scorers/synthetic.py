"""Synthetic scenes and clips: many measures at once, as fractions under the keys of
``vlseg eval world --json``.

The metrics are those of the published benchmarks; sentences are scored by their first mask and by
kind, and every value is kept unrounded.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision
from vlseg_cli.evaluation.metrics.boundary import MeanBoundaryIoU
from vlseg_cli.evaluation.metrics.calibration import CalibrationError
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.metrics.id_switches import IdSwitches
from vlseg_cli.evaluation.metrics.rec import BoxAccuracy
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.metrics.video_expressions import ExpressionJF
from vlseg_cli.evaluation.metrics.ytvis import VideoAveragePrecision
from vlseg_cli.evaluation.scorers.base import Result
from vlseg_cli.evaluation.scorers.categories import PanopticScorer, SemanticScorer
from vlseg_cli.evaluation.scorers.clips import by_query, id_map
from vlseg_cli.evaluation.scorers.tracks import detected_tracks, true_tracks
from vlseg_cli.evaluation.truth import (
    predicted_box,
    predicted_boxes,
    predicted_mask,
    true_box,
    true_boxes,
)
from vlseg_cli.schema import (
    Categories,
    ClipQuery,
    ClipSample,
    Frame,
    Prediction,
    Query,
    Sample,
    Task,
    decode_rle,
)
from vlseg_cli.synthetic.hands import Hand
from vlseg_cli.synthetic.regions import REGION_KINDS
from vlseg_cli.synthetic.scene import EXPORTED_KINDS, expression_kinds, question_kinds

Numbers = dict[str, Any]
Mask = NDArray[np.bool_]  # (H, W)
_RIGHT = 0.5  # IoU of a right answer


class SyntheticSceneScorer:
    """All tasks of an image; ``Result.details`` has the scores in [0, 1], None without a query."""

    def __init__(self, hand: Hand) -> None:
        """hand: who drew the scenes, whose categories are the names of the classes."""
        self._scenes = 0
        names = Categories(hand.categories, hand.stuff)
        self._panoptic, self._semantic = PanopticScorer(names), SemanticScorer(names)
        self._asked: Counter[bool] = Counter()  # by whether there is a target
        self._answered: Counter[bool] = Counter()
        self._edges, self._calibration = MeanBoundaryIoU(), CalibrationError()
        self._things = [index for index, is_stuff in enumerate(hand.stuff) if not is_stuff]
        self._boxes, self._ground = AveragePrecision(self._things), BoxAccuracy()
        self._masks: dict[Task, dict[str, MaskIoU]] = {
            Task.REFER: {kind: MaskIoU() for kind in expression_kinds(hand.language)},
            Task.REASON: {kind: MaskIoU() for kind in question_kinds(hand.language)},
            Task.INTERACTIVE: {kind: MaskIoU() for kind in REGION_KINDS},
        }

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``."""
        self._scenes += 1
        pairs = zip(sample.queries, predictions, strict=True)
        return [case for pair in pairs for case in self._cases(sample.frame, *pair)]

    def result(self) -> Result:
        """See ``Scorer``."""
        every = MaskIoU()
        for meter in self._masks[Task.REFER].values():
            every.merge(meter)
        total, grounded = every.result(), self._ground.result()
        refer, reason, interactive = (
            {kind: meter.result() for kind, meter in self._masks[task].items()}
            for task in (Task.REFER, Task.REASON, Task.INTERACTIVE)
        )
        quality, boxes = self._panoptic.meter.result().all, self._boxes.result().stats
        by_kind = {kind: {"gIoU": one.giou, "n": one.n} for kind, one in refer.items()}
        details = {
            "refer": {
                "cIoU": total.ciou,
                "gIoU": total.giou,
                "P50": total.precision[0.5],
                "by_kind": _with_exported_kinds(by_kind),
            },
            "reason": {kind: {"gIoU": one.giou, "cIoU": one.ciou} for kind, one in reason.items()},
            "ground": {"acc50": grounded.accuracy, "n": grounded.n},
            "panoptic": {
                "PQ": quality.pq if quality else None,
                "SQ": quality.sq if quality else None,
                "RQ": quality.rq if quality else None,
            },
            "semantic": {"mIoU": self._semantic.meter.result().miou},
            "detect": {"AP": boxes["AP"], "AP50": boxes["AP50"]},
            "interactive": {kind: {"mIoU": one.giou} for kind, one in interactive.items()},
            "sentences": {
                "boundary_IoU": self._edges.result(),
                "ECE": self._calibration.result(),
                "answered": self._calibration.n,
                **self._presence(),
            },
            "scenes": self._scenes,
        }
        return Result({}, self._scenes, details=details)

    def _presence(self) -> Numbers:
        """How many absent targets were answered by nothing, and present ones by a mask."""
        absent, present = self._asked[False], self._asked[True]
        return {
            "absent": absent,
            "absent_empty": 1 - self._answered[False] / absent if absent else None,
            "present_answered": self._answered[True] / present if present else None,
        }

    def _cases(self, frame: Frame, query: Query, prediction: Prediction) -> Iterator[Case]:
        match query.task:
            case Task.PANOPTIC:
                measure, score = "PQ", self._panoptic.count(query, prediction)
            case Task.SEMANTIC:
                measure, score = "mIoU", self._semantic.count(query, prediction)
            case Task.DETECT:
                measure, score = "AP", self._add_boxes(query, prediction)
            case Task.GROUND:
                box, truth = predicted_box(prediction), true_box(query)
                measure, score = "IoU", self._ground.add(box, truth)
            case _:
                if query.task is not Task.INTERACTIVE:
                    self._count_presence(query, prediction)
                if not len(query.masks):
                    return
                meter = self._masks[query.task][query.kind]
                for index, mask in enumerate(query.masks):
                    predicted = predicted_mask(prediction, index)
                    iou = meter.add(predicted, mask, query.ignore).iou
                    if query.task is not Task.INTERACTIVE:
                        self._add_sentence(prediction, predicted, mask, iou)
                    yield Case(frame, query, prediction, "IoU", iou, index)
                return
        yield Case(frame, query, prediction, measure, score)

    def _count_presence(self, query: Query, prediction: Prediction) -> None:
        """Count whether a sentence has a target, and whether it was answered with a mask."""
        present, answered = len(query.masks) > 0, bool(predicted_mask(prediction).any())
        self._asked[present] += 1
        self._answered[present] += answered

    def _add_sentence(
        self, prediction: Prediction, predicted: Mask, truth: Mask, iou: float
    ) -> None:
        """Count the outline of an answer, and whether it was as right as its score said."""
        self._edges.add(predicted, truth)
        if prediction.segments:
            self._calibration.add(prediction.segments[0].score, iou >= _RIGHT)

    def _add_boxes(self, query: Query, prediction: Prediction) -> float:
        """Count the boxes of one scene; returns its own AP."""
        image = AveragePrecision(self._things)
        seed = int(prediction.source.rpartition(":")[2])  # equal scores rank in the order of seeds
        image.add(seed, true_boxes(query), predicted_boxes(prediction))
        self._boxes.merge(image)
        return image.result().stats["AP"] or 0.0


class SyntheticClipScorer:
    """All tasks of a clip, every frame of which has its truth; see ``SyntheticSceneScorer``."""

    def __init__(self, hand: Hand) -> None:
        """hand: who drew the clips."""
        self._clips = 0
        self._objects = DavisSemiSupervised()
        self._tracks = VideoAveragePrecision(range(len(hand.categories)))
        self._switches = IdSwitches()
        self._sentences: dict[Task, dict[str, ExpressionJF]] = {Task.REFER: {}, Task.REASON: {}}

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Scorer``; it has no cases for the report."""
        self._clips += 1
        for query, own in by_query(sample, predictions):
            truth = [masks for t in range(sample.length) if (masks := query.masks(t)) is not None]
            if query.task is Task.VOS:
                true_ids = [id_map(dict(enumerate(one, 1)), one.shape[1:]) for one in truth]
                self._objects.add(sample.source, true_ids, _object_ids(own))
            elif query.task is Task.VIS:
                tracks = true_tracks(sample, query)
                assert tracks is not None
                self._tracks.add(sample.source, tracks, detected_tracks(own))
                pairs = zip(_visible(query, truth), map(_by_track, own), strict=True)
                self._switches.add(pairs)
            else:
                meter = self._sentences[query.task].setdefault(query.kind, ExpressionJF())
                meter.add(map(predicted_mask, own), [np.asarray(one.any(0)) for one in truth])
        return []

    def result(self) -> Result:
        """See ``Scorer``."""
        objects, switches = self._objects.result(), self._switches.result()
        stats = self._tracks.result().stats
        details = {
            "vos": {
                "J&F": objects.jf,
                "J": objects.j.mean if objects.j else None,
                "F": objects.f.mean if objects.f else None,
                "objects": len(objects.objects),
            },
            **{task.value: _by_kind(kinds) for task, kinds in self._sentences.items()},
            "vis": {
                "mAP": stats["AP"],
                "AP50": stats["AP50"],
                "id_switches": switches.switches,
                "things": switches.things,
                "found": switches.found / switches.seen if switches.seen else None,
            },
            "clips": self._clips,
        }
        return Result({}, self._clips, details=details)


def _by_kind(kinds: dict[str, ExpressionJF]) -> Numbers:
    every = ExpressionJF()
    for meter in kinds.values():
        every.merge(meter)
    whole = every.result()
    results = {kind: meter.result() for kind, meter in sorted(kinds.items())}
    by_kind = {kind: {"J&F": one.jf, "n": one.n} for kind, one in results.items()}
    return {"J&F": whole.jf, "J": whole.j, "F": whole.f, "by_kind": _with_exported_kinds(by_kind)}


def _with_exported_kinds(by_kind: Numbers) -> Numbers:
    """Kinds of sentences under today's names and those of the first release."""
    older = {old: by_kind[new] for new, old in EXPORTED_KINDS.items() if new in by_kind}
    return {**by_kind, **older}


def _object_ids(predictions: Sequence[Prediction]) -> list[NDArray[np.int64]]:
    """Id maps (H, W), a frame each: objects 1, 2, … in the order of the first frame's segments."""
    first = predictions[0].segments
    order = {segment.track_id: number for number, segment in enumerate(first, start=1)}
    return [
        id_map(
            {order[segment.track_id]: decode_rle(segment.rle) for segment in one.segments},
            (one.height, one.width),
        )
        for one in predictions
    ]


def _visible(
    query: ClipQuery, truth: Sequence[NDArray[np.bool_]]
) -> Iterator[dict[int, NDArray[np.bool_]]]:
    """The true masks (H, W) by object, frame by frame, without those that are hidden in it."""
    for masks in truth:
        pairs = zip(query.objects, masks, strict=True)
        yield {number: mask for number, mask in pairs if mask.any()}


def _by_track(prediction: Prediction) -> dict[int, NDArray[np.bool_]]:
    """Masks (H, W) by track; every segment of a clip has one."""
    masks = {}
    for segment in prediction.segments:
        assert segment.track_id is not None
        masks[segment.track_id] = decode_rle(segment.rle)
    return masks
