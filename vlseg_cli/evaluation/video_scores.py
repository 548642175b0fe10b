"""The score sheet of clips: which meter the answers to a query go to, and the final numbers."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.metrics.id_switches import IdSwitches, Masks
from vlseg_cli.evaluation.metrics.mevis import ExpressionJF
from vlseg_cli.evaluation.metrics.ytvis import TrueTrack, VideoAveragePrecision
from vlseg_cli.evaluation.scorers.tracks import detected_tracks
from vlseg_cli.evaluation.truth import predicted_mask
from vlseg_cli.evaluation.world_scores import with_exported_kinds
from vlseg_cli.schema import (
    ClipQuery,
    ClipSample,
    Prediction,
    Segment,
    Task,
    decode_rle,
    encode_rle,
)

Answers = Sequence[Prediction]  # one query's, a frame each
Truth = Sequence[NDArray[np.bool_]]  # (M, H, W), a frame each


class VideoScores:
    """Takes one answered clip at a time; every frame of a clip must have its truth."""

    def __init__(self, categories: int) -> None:
        """categories: how many names there are."""
        self._clips = 0
        self._objects = DavisSemiSupervised()
        self._tracks, self._switches = VideoAveragePrecision(range(categories)), IdSwitches()
        self._sentences: dict[Task, dict[str, ExpressionJF]] = {Task.REFER: {}, Task.REASON: {}}

    def add(self, sample: ClipSample, answers: Sequence[Answers]) -> None:
        """Count a clip. answers: to each of its queries, frame by frame."""
        self._clips += 1
        for query, of_query in zip(sample.queries, answers, strict=True):
            truth = [
                masks for frame in range(sample.length) if (masks := query.masks(frame)) is not None
            ]
            if query.task is Task.VOS:
                self._objects.add(sample.source, _true_ids(truth), _answered_ids(of_query))
            elif query.task is Task.VIS:
                self._tracks.add(
                    sample.source, _true_tracks(query, truth), detected_tracks(of_query)
                )
                self._switches.add(zip(_seen(query, truth), map(_tracked, of_query), strict=True))
            else:
                meter = self._sentences[query.task].setdefault(query.kind, ExpressionJF())
                masks = np.stack([predicted_mask(prediction) for prediction in of_query])
                meter.add(masks, np.stack([one.any(0) for one in truth]))

    def summary(self) -> dict[str, Any]:
        """All scores, fractions in [0, 1]; None where nothing was asked."""
        objects, switches = self._objects.result(), self._switches.result()
        stats = self._tracks.result().stats
        return {
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


def _by_kind(kinds: dict[str, ExpressionJF]) -> dict[str, Any]:
    every = ExpressionJF()
    for meter in kinds.values():
        every.merge(meter)
    whole = every.result()
    results = {kind: meter.result() for kind, meter in sorted(kinds.items())}
    by_kind = {kind: {"J&F": one.jf, "n": one.n} for kind, one in results.items()}
    return {"J&F": whole.jf, "J": whole.j, "F": whole.f, "by_kind": with_exported_kinds(by_kind)}


def _true_ids(truth: Truth) -> NDArray[np.int64]:
    """(T, H, W): object k is k + 1."""
    return np.stack([_painted(enumerate(masks, start=1), masks.shape[1:]) for masks in truth])


def _answered_ids(answers: Answers) -> NDArray[np.int64]:
    """(T, H, W) with the objects in the order of their tracks in the first frame."""
    order = {segment.track_id: place for place, segment in enumerate(answers[0].segments, start=1)}
    return np.stack(
        [
            _painted(
                ((order[one.track_id], decode_rle(one.rle)) for one in prediction.segments),
                (prediction.height, prediction.width),
            )
            for prediction in answers
        ]
    )


def _painted(
    masks: Iterable[tuple[int, NDArray[np.bool_]]], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Numbered masks (H, W) on one map; later ones cover earlier ones."""
    ids = np.zeros(shape, np.int64)
    for number, mask in masks:
        ids[mask] = number
    return ids


def _true_tracks(query: ClipQuery, truth: Truth) -> list[TrueTrack]:
    tracks = []
    for place, label in enumerate(query.labels.tolist()):
        masks = [one[place] for one in truth]
        tube = [encode_rle(mask) if mask.any() else None for mask in masks]
        areas = [float(mask.sum()) if mask.any() else None for mask in masks]
        tracks.append(TrueTrack(label, tube, areas))
    return tracks


def _seen(query: ClipQuery, truth: Truth) -> list[Masks]:
    """The things of each frame that are to be seen in it."""
    return [
        {number: mask for number, mask in zip(query.objects, masks, strict=True) if mask.any()}
        for masks in truth
    ]


def _tracked(prediction: Prediction) -> Masks:
    return {_number(segment): decode_rle(segment.rle) for segment in prediction.segments}


def _number(segment: Segment) -> int:
    if segment.track_id is None:
        raise ValueError("A segment of a video has no track_id.")
    return segment.track_id
