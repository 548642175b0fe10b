"""The online tracker: identities of detections across frames, by appearance embeddings alone.

Source: HyperSeg section 9.6, which runs the tracker of IDOL and UNINEXT. Detections are a score, an
embedding and a mask each. Memory is bounded: a track ends after some frames without a match, and
only its last few embeddings are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Masks = NDArray[np.bool_]

DROPPED, BACKGROUND = -2, -1  # ids of detections without a track


@dataclass(frozen=True, slots=True)
class TrackerRules:
    """Thresholds and update rules; the defaults are those of HyperSeg's code.

    nms_before: mask IoU with a better detection above which one is a duplicate. nms_after: IoU
    below which an unmatched one is background. first_score, new_score: to start a track in the
    first frame, and later. match_score: similarity to match. forget_after: frames without a match.
    momentum: weight of the new embedding in a track's. long_memory: compare with the score-weighted
    mean of the last ``memory`` embeddings instead; recent: newer ones weigh more. frame_weight:
    among several likely tracks longer ones weigh more.
    """

    nms_before: float = 0.7
    nms_after: float = 0.3
    first_score: float = 0.2
    new_score: float = 0.5
    match_score: float = 0.5
    forget_after: int = 10
    momentum: float = 0.5
    long_memory: bool = False
    recent: bool = False
    frame_weight: bool = False
    memory: int = 10


IDOL_RULES = TrackerRules(
    nms_before=0.5,
    nms_after=0.05,
    new_score=0.2,
    momentum=0.8,
    long_memory=True,
    recent=True,
    frame_weight=True,
    memory=3,
)


class TrackedDetection(NamedTuple):
    """kept (M,): indices of the detections that are no duplicates; ids (M,): their tracks,
    BACKGROUND or DROPPED."""

    kept: NDArray[np.int64]
    ids: NDArray[np.int64]


@dataclass(slots=True)
class _Track:
    """Embeddings and scores of its last frames, its last frame and their number."""

    embedding: Floats
    recent: list[Floats] = field(default_factory=list)
    scores: list[np.float32] = field(default_factory=list)
    last: int = 0
    frames: int = 0


class Tracker:
    """Assigns identities to the detections of one frame after the other."""

    def __init__(
        self, rules: TrackerRules | None = None, state: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """state: ``state()`` of a tracker with the same rules; None at a video's start."""
        self.rules = rules or TrackerRules()
        self.frame = self.next_id = 0
        self.tracks: dict[int, _Track] = {}
        if state is not None:
            self._restore(state)

    def step(self, scores: Floats, embeddings: Floats, masks: Masks) -> TrackedDetection:
        """The next frame, best detection first: scores (N,) in [0, 1], embeddings (N, D), masks
        (N, H, W)."""
        iou = mask_iou(masks)
        kept = mask_nms(iou, self.rules.nms_before)
        scores, embeddings, iou = scores[kept], embeddings[kept], iou[kept][:, kept]
        ids = np.full(len(kept), DROPPED, np.int64)
        threshold = self.rules.new_score if self.tracks else self.rules.first_score
        if self.tracks and len(kept):
            self._match(ids, embeddings)
        new = np.flatnonzero((ids == DROPPED) & (scores > threshold))
        ids[new] = self.next_id + np.arange(len(new))
        self.next_id += len(new)
        for index in np.flatnonzero(ids == DROPPED):
            if (iou[index, :index] < self.rules.nms_after).all():
                ids[index] = BACKGROUND
        self._update(ids, scores, embeddings)
        self.frame += 1
        return TrackedDetection(kept, ids)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next step depends on, a row per track.

        The keys are stored in job folders and stay as they are.
        """
        tracks, memory = list(self.tracks.values()), self.rules.memory
        width = len(tracks[0].embedding) if tracks else 0
        recent = np.zeros((len(tracks), memory, width), np.float32)
        scores = np.zeros((len(tracks), memory), np.float32)
        for row, track in enumerate(tracks):
            recent[row, : len(track.recent)] = track.recent
            scores[row, : len(track.scores)] = track.scores
        return {
            "clock": np.array([self.frame, self.next_id]),
            "ids": np.array(list(self.tracks), np.int64),
            "embeddings": np.array([t.embedding for t in tracks], np.float32),
            "looks": recent,
            "scores": scores,
            "counts": np.array([[t.last, t.frames, len(t.recent)] for t in tracks], np.int64),
        }

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.frame, self.next_id = (int(number) for number in state["clock"])
        for row, identity in enumerate(state["ids"].tolist()):
            last, frames, known = (int(number) for number in state["counts"][row])
            self.tracks[identity] = _Track(
                state["embeddings"][row],
                list(state["looks"][row, :known]),
                list(state["scores"][row, :known]),
                last,
                frames,
            )

    def _match(self, ids: NDArray[np.int64], embeddings: Floats) -> None:
        """Best detections match first; a matched track is closed to the others."""
        rules, tracks = self.rules, list(self.tracks.values())
        product = embeddings @ np.stack([self._memory(track) for track in tracks]).T
        similarity = (_softmax(product, 1) + _softmax(product, 0)) / 2
        frames = np.array([track.frames for track in tracks], np.float32)
        known = list(self.tracks)
        for row in range(len(ids)):
            weighted = similarity[row].copy()
            likely = weighted > 0.5
            if rules.frame_weight and likely.sum() > 1:
                weighted *= np.where(likely, frames, frames[likely].mean())
            best = int(weighted.argmax())
            if weighted[best] > rules.match_score:
                ids[row] = known[best]
                similarity[np.arange(len(ids)) != row, best] = 0

    def _memory(self, track: _Track) -> Floats:
        """The embedding (D,) that detections are compared with."""
        if not self.rules.long_memory:
            return track.embedding
        weights = np.array(track.scores, np.float32)
        if self.rules.recent:
            weights += np.linspace(0, 1, len(weights) + 1, dtype=np.float32)[1:]
        mean: Floats = (np.stack(track.recent) * weights[:, None]).sum(0) / weights.sum()
        return mean

    def _update(self, ids: NDArray[np.int64], scores: Floats, embeddings: Floats) -> None:
        momentum = np.float32(self.rules.momentum)
        for index in np.flatnonzero(ids >= 0):
            identity, embedding = int(ids[index]), embeddings[index]
            track = self.tracks.setdefault(identity, _Track(embedding))
            if track.frames:
                track.embedding = (1 - momentum) * track.embedding + momentum * embedding
            track.recent = [*track.recent, embedding][-self.rules.memory :]
            track.scores = [*track.scores, scores[index]][-self.rules.memory :]
            track.last, track.frames = self.frame, track.frames + 1
        if len(ids):  # a frame without detections ends no track
            self.tracks = {
                identity: track
                for identity, track in self.tracks.items()
                if self.frame - track.last < self.rules.forget_after
            }


def mask_iou(masks: Masks) -> Floats:
    """(N, H, W) -> (N, N); 1 for two empty masks."""
    flat = masks.reshape(len(masks), int(np.prod(masks.shape[1:]))).astype(np.float32)
    overlap, area = flat @ flat.T, flat.sum(1)
    iou: Floats = (overlap + 1e-6) / (area[:, None] + area[None] - overlap + 1e-6)
    return iou


def mask_nms(iou: Floats, threshold: float) -> NDArray[np.int64]:
    """Greedy non-maximum suppression in the given order: IoU (N, N) -> indices kept."""
    kept: list[int] = []
    for index in range(len(iou)):
        if not (iou[index, kept] > threshold).any():
            kept.append(index)
    return np.array(kept, np.int64)


def _softmax(values: Floats, axis: int) -> Floats:
    shifted = np.exp(values - values.max(axis, keepdims=True))
    output: Floats = shifted / shifted.sum(axis, keepdims=True)
    return output
