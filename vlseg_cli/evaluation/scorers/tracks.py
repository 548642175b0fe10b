"""Names in videos: average precision of whole tracks."""

from collections import defaultdict
from collections.abc import Sequence

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.metrics.ytvis import DetectedTrack, TrueTrack, VideoAveragePrecision
from vlseg_cli.evaluation.scorers.base import Result, percent
from vlseg_cli.evaluation.scorers.clips import predictions_of
from vlseg_cli.schema import RLE, ClipQuery, ClipSample, Prediction, Segment, encode_rle


class TrackScorer:
    """YouTube-VIS AP over ``categories`` names; nothing where only a server knows."""

    def __init__(self, categories: int) -> None:
        self._meter, self._n = VideoAveragePrecision(range(categories)), 0

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> list[Case]:
        """See ``Score``; a track's worth in a single frame says little, so there are no cases."""
        for place, query in enumerate(sample.queries):
            truths = true_tracks(sample, query)
            if truths is not None:
                detections = detected_tracks(predictions_of(sample, predictions, place))
                self._meter.add(query.key, truths, detections)
                self._n += 1
        return []

    def result(self) -> Result:
        """See ``Score``."""
        if not self._n:
            return Result({"AP": None}, 0)
        stats = self._meter.result().stats
        names = ("AP", "AP50", "AP75", "AR1", "AR10")
        return Result({name: percent(stats[name]) for name in names}, self._n)


def detected_tracks(answers: Sequence[Prediction]) -> list[DetectedTrack]:
    """One track for each number and name; its score is the mean over the track's frames."""
    segments: dict[int, dict[int, Segment]] = defaultdict(dict)  # track -> frame -> segment
    for frame, prediction in enumerate(answers):
        for segment in prediction.segments:
            if segment.track_id is not None:
                segments[segment.track_id][frame] = segment
    tracks = []
    for own in segments.values():
        tube = [own[frame].rle if frame in own else None for frame in range(len(answers))]
        scores: dict[int, float] = defaultdict(float)
        for segment in own.values():
            assert segment.category_id is not None
            scores[segment.category_id] += segment.score
        tracks += [DetectedTrack(name, tube, score / len(own)) for name, score in scores.items()]
    return tracks


def true_tracks(sample: ClipSample, query: ClipQuery) -> list[TrueTrack] | None:
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
    return [TrueTrack(*one) for one in zip(labels, tubes, areas, strict=True)]
