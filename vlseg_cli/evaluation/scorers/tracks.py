"""Objects in videos: tracks of category names (VIS), objects given once (VOS, Ego-Exo4D)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.average_precision import Detection, TrueInstance
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.jf import region_similarity
from vlseg_cli.evaluation.metrics.ytvis import VideoAveragePrecision, mean_area
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.scorers.clips import ClipScorer, id_map, jf_measures, still, tracked
from vlseg_cli.schema import RLE, ClipQuery, ClipSample, Prediction, Segment, encode_rle


class TrackScorer(ClipScorer):
    """YouTube-VIS AP over ``categories`` names; None where the truth is on a server."""

    def __init__(self, categories: int) -> None:
        self._meter, self._n = VideoAveragePrecision(range(categories)), 0

    def count(
        self, sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
    ) -> list[Case]:
        """See ``ClipScorer``; a single frame does not show a track, so there are no cases."""
        truths = true_tracks(sample, query)
        if truths is not None:
            self._meter.add(query.key, truths, detected_tracks(of_query))
            self._n += 1
        return []

    def result(self) -> Result:
        """See ``Scorer``."""
        if not self._n:
            return Result({"AP": None}, 0)
        stats = self._meter.result().stats
        names = ("AP", "AP50", "AP75", "AR1", "AR10")
        return Result({name: percent(stats[name]) for name in names}, self._n)


def detected_tracks(of_query: Sequence[Prediction]) -> list[Detection]:
    """One track for each number and name; its score is the mean over the track's frames."""
    segments: dict[int, dict[int, Segment]] = defaultdict(dict)  # track -> frame -> segment
    for frame, prediction in enumerate(of_query):
        for segment in prediction.segments:
            if segment.track_id is not None:
                segments[segment.track_id][frame] = segment
    tracks = []
    for own in segments.values():
        tube = [own[frame].rle if frame in own else None for frame in range(len(of_query))]
        scores: dict[int, float] = defaultdict(float)
        for segment in own.values():
            assert segment.category_id is not None
            scores[segment.category_id] += segment.score
        tracks += [Detection(name, tube, score / len(own)) for name, score in scores.items()]
    return tracks


def true_tracks(sample: ClipSample, query: ClipQuery) -> list[TrueInstance] | None:
    """One track for each object; None if a frame has no truth."""
    tubes: list[list[RLE | None]] = [[] for _ in query.objects]
    areas: list[list[float | None]] = [[] for _ in query.objects]
    for frame in range(sample.length):
        masks = query.masks(frame)
        if masks is None:
            return None
        for tube, area, mask in zip(tubes, areas, masks, strict=True):
            tube.append(encode_rle(mask) if mask.any() else None)
            area.append(float(mask.sum()) if mask.any() else None)
    labels = query.labels.tolist()
    means = map(mean_area, areas)
    return [TrueInstance(*one) for one in zip(labels, tubes, means, strict=True)]


class VOSScorer(ClipScorer):
    """DAVIS, semi-supervised: J&F, J and F over all objects; every clip has one query at most."""

    def __init__(self) -> None:
        self._meter = DavisSemiSupervised()

    def count(
        self, sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
    ) -> Iterator[Case]:
        """See ``ClipScorer``."""
        shapes = [(one.height, one.width) for one in of_query]
        truth = (
            id_map(dict(zip(query.objects, masks, strict=True)), shape)
            for frame, shape in enumerate(shapes)
            if (masks := query.masks(frame)) is not None
        )
        guess = (
            id_map({query.objects[n - 1]: mask for n, mask in tracked(one).items()}, shape)
            for one, shape in zip(of_query, shapes, strict=True)
        )
        scores = self._meter.add(sample.source, truth, guess)
        for number, name in enumerate(query.objects):
            yield still(sample, query, of_query, "J&F", scores[name - 1].jf, number)

    def result(self) -> Result:
        """See ``Scorer``."""
        found = self._meter.result()
        j, f = (None if one is None else one.mean for one in (found.j, found.f))
        return Result(jf_measures(found.jf, j, f), len(found.objects))


class CorrespondenceScorer(ClipScorer):
    """Ego-Exo4D: mean IoU of objects given in the first frame and segmented in the second.

    Over objects, cameras and frames of the pairs in which the object is visible (Grauman et al.
    2024), which is what PSALM reports for each direction.
    """

    def __init__(self) -> None:
        self._ious = ExactSum()

    def count(
        self, sample: ClipSample, query: ClipQuery, of_query: Sequence[Prediction]
    ) -> Iterator[Case]:
        """See ``ClipScorer``."""
        truth = query.masks(1)
        assert truth is not None
        found = tracked(of_query[1])
        for number, mask in enumerate(truth):
            iou = region_similarity(found.get(number + 1, np.zeros(mask.shape, bool)), mask)
            self._ious.add(iou)
            yield still(sample, query, of_query, "IoU", iou, number)

    def result(self) -> Result:
        """See ``Scorer``."""
        return Result({"IoU": percent(self._ious.mean)}, self._ious.count)
