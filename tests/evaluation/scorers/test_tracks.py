"""Objects in videos: tracks of names, objects given once, objects in two views."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.davis import DAVISDataset
from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.toy.video_objects import write_davis, write_ego_exo, write_youtube_vis
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.scorers.tracks import (
    CorrespondenceScorer,
    TrackScorer,
    VOSScorer,
    detected_tracks,
)
from vlseg_cli.schema import ClipSample, Prediction

SEEDS, FRAMES, SIZE = range(910000, 910003), 3, 64

Answer = Callable[..., list[Prediction]]


def test_true_tracks_score_a_hundred(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vis(tmp_path, "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path, "train")
    score, none = (TrackScorer(len(dataset.category_ids)) for _ in range(2))
    for number in range(len(dataset)):
        sample = dataset[number]
        score.add(sample, answer(sample))
        none.add(sample, answer(sample, lambda mask: ~mask))
    assert score.result().n == len(SEEDS)
    assert score.result().measures["AP"] == score.result().measures["AR10"] == 100
    assert none.result().measures["AP50"] == 0


def test_truth_on_a_server_gives_no_score(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vis(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path)
    score = TrackScorer(len(dataset.category_ids))
    score.add(dataset[0], answer(dataset[0]))
    assert score.result().measures == {"AP": None} and score.result().n == 0


def test_a_track_has_the_mean_score_of_its_frames_and_gaps(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vis(tmp_path, "train", SEEDS[:1], FRAMES, SIZE)
    sample = YouTubeVISDataset(tmp_path, "train")[0]
    answers = answer(sample)
    answers[1] = Prediction(*(getattr(answers[1], name) for name in Prediction.__slots__[:6]), ())
    tracks = detected_tracks(answers)
    assert len(tracks) == len(sample.queries[0].objects)
    for track in tracks:
        assert track.score == 0.9 and track.shape[1] is None and len(track.shape) == FRAMES


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSample]:
    root = tmp_path_factory.mktemp("davis")
    write_davis(root, "val", SEEDS[:2], 5, SIZE)
    return [DAVISDataset(root)[number] for number in range(len(SEEDS[:2]))]


def up(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, -3, axis=0)


def ids(masks: np.ndarray) -> np.ndarray:
    numbers = np.arange(1, len(masks) + 1)[:, None, None]
    return (masks * numbers).max(axis=0)


def test_true_objects_score_a_hundred(clips: list[ClipSample], answer: Answer) -> None:
    score = VOSScorer()
    cases = [case for clip in clips for case in score.add(clip, answer(clip))]
    result = score.result()
    assert result.measures == {"J&F": 100, "J": 100, "F": 100}
    assert result.n == len(cases) == sum(len(clip.queries[0].objects) for clip in clips)
    for case in cases:
        assert case.score == 1 and case.truth.shape[0] == 1 and case.region is not None
        assert len(case.segments) == case.truth.any()


def test_the_score_equals_the_metric_of_whole_sequences(
    clips: list[ClipSample], answer: Answer
) -> None:
    score, meter = VOSScorer(), DavisSemiSupervised()
    for clip in clips:
        score.add(clip, answer(clip, up))
        truth = np.stack([clip.queries[0].masks(frame) for frame in range(clip.length)])
        moved = np.stack([[up(mask) for mask in masks] for masks in truth])
        meter.add(clip.source, np.stack([*map(ids, truth)]), np.stack([*map(ids, moved)]))
    measured, expected = score.result().measures, meter.result()
    assert expected.jf is not None and expected.j is not None
    assert measured["J&F"] == pytest.approx(100 * expected.jf)
    assert measured["J"] == pytest.approx(100 * expected.j.mean)


def test_lost_objects_score_low(clips: list[ClipSample], answer: Answer) -> None:
    score = VOSScorer()
    score.add(clips[0], answer(clips[0], np.zeros_like))
    jf = score.result().measures["J&F"]
    assert jf is not None and jf < 100 / 3  # frames in which a thing is hidden count as right


def test_objects_in_two_views(tmp_path: Path, answer: Answer) -> None:
    write_ego_exo(tmp_path, SEEDS[:2], 1, SIZE)
    dataset, whole, half = EgoExoDataset(tmp_path), CorrespondenceScorer(), CorrespondenceScorer()
    for number in range(len(dataset)):
        sample = dataset[number]
        assert all(case.score == 1 for case in whole.add(sample, answer(sample)))
        half.add(sample, answer(sample, np.zeros_like))
    assert whole.result().measures == {"IoU": 100} and whole.result().n == half.result().n > 0
    assert half.result().measures == {"IoU": 0}
