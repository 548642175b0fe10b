"""Objects that were pointed at: the truth scores 100, answers score what the metric says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.davis import DAVISDataset
from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.toy.davis import write_davis
from vlseg_cli.datasets.toy.ego_exo import write_ego_exo
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised
from vlseg_cli.evaluation.scorers.vos import CorrespondenceScorer, VOSScorer
from vlseg_cli.schema import ClipSample, Prediction

SEEDS, SIZE = range(910000, 910002), 64

Answer = Callable[..., list[Prediction]]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSample]:
    root = tmp_path_factory.mktemp("davis")
    write_davis(root, "val", SEEDS, 5, SIZE)
    return [DAVISDataset(root)[number] for number in range(len(SEEDS))]


def up(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, -3, axis=0)


def ids(masks: np.ndarray) -> np.ndarray:
    numbers = np.arange(1, len(masks) + 1)[:, None, None]
    return (masks * numbers).max(axis=0)


def test_the_truth_scores_a_hundred(clips: list[ClipSample], answer: Answer) -> None:
    score = VOSScorer()
    cases = [case for clip in clips for case in score.add(clip, answer(clip))]
    result = score.result()
    assert result.measures == {"J&F": 100, "J": 100, "F": 100}
    assert result.n == len(cases) == sum(len(clip.queries[0].objects) for clip in clips)
    for case in cases:
        assert case.score == 1 and case.truth.shape[0] == 1 and case.region is not None
        assert len(case.segments) == case.truth.any()


def test_it_is_the_metric_of_whole_sequences(clips: list[ClipSample], answer: Answer) -> None:
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


def test_lost_objects_score_nothing(clips: list[ClipSample], answer: Answer) -> None:
    score = VOSScorer()
    score.add(clips[0], answer(clips[0], np.zeros_like))
    jf = score.result().measures["J&F"]
    assert jf is not None and jf < 100 / 3  # frames in which a thing is hidden count as right


def test_other_views_are_scored_alone(tmp_path: Path, answer: Answer) -> None:
    write_ego_exo(tmp_path, SEEDS, 1, SIZE)
    dataset, whole, half = EgoExoDataset(tmp_path), CorrespondenceScorer(), CorrespondenceScorer()
    for number in range(len(dataset)):
        sample = dataset[number]
        assert all(case.score == 1 for case in whole.add(sample, answer(sample)))
        half.add(sample, answer(sample, np.zeros_like))
    assert whole.result().measures == {"IoU": 100} and whole.result().n == half.result().n > 0
    assert half.result().measures == {"IoU": 0}
