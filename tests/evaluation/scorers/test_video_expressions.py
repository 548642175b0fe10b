"""Sentences about videos: the truth scores 100 in every set, hidden truth scores nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.davis import RefDAVISDataset
from vlseg_cli.datasets.toy.video_expressions import (
    write_mevis,
    write_ref_davis,
    write_ref_youtube_vos,
    write_revos,
)
from vlseg_cli.datasets.video_expressions import MeViSDataset, RefYouTubeVOSDataset, ReVOSDataset
from vlseg_cli.evaluation.metrics.jf import contour_accuracy, region_similarity
from vlseg_cli.evaluation.scorers.video_expressions import (
    RefDavisScorer,
    ReVOSScorer,
    VideoExpressionScorer,
)
from vlseg_cli.schema import Prediction

SEEDS, FRAMES, SIZE = range(910000, 910004), 3, 64

Answer = Callable[..., list[Prediction]]


def right(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, 4, axis=1)


def test_every_expression_weighs_the_same(tmp_path: Path, answer: Answer) -> None:
    write_mevis(tmp_path, "valid_u", SEEDS[:2], FRAMES, SIZE)
    dataset, score, each = MeViSDataset(tmp_path), VideoExpressionScorer(), []
    for number in range(len(dataset)):
        sample = dataset[number]
        cases = score.add(sample, answer(sample, right))
        assert len(cases) == len(sample.queries)
        for query in sample.queries:
            truths = [query.masks(frame).any(axis=0) for frame in range(FRAMES)]
            pairs = [(right(truth), truth) for truth in truths]
            j = np.mean([region_similarity(*pair) for pair in pairs])
            each.append((j, np.mean([contour_accuracy(*pair) for pair in pairs])))
    j, f = 100 * np.mean(each, axis=0)
    result = score.result()
    assert result.n == len(each)
    assert result.measures == pytest.approx({"J&F": (j + f) / 2, "J": j, "F": f})


def test_truth_on_a_server_gives_no_score(tmp_path: Path, answer: Answer) -> None:
    write_ref_youtube_vos(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    sample, score = RefYouTubeVOSDataset(tmp_path)[0], VideoExpressionScorer()
    assert score.add(sample, answer(sample)) == []
    assert score.result().measures == {"J&F": None, "J": None, "F": None}
    assert score.result().n == 0


def test_ref_davis_counts_four_annotations(tmp_path: Path, answer: Answer) -> None:
    write_ref_davis(tmp_path, "val", SEEDS[:2], FRAMES, SIZE)
    dataset, score = RefDAVISDataset(tmp_path), RefDavisScorer()
    assert score.result().measures["J&F"] is None
    for number in range(len(dataset)):
        cases = score.add(dataset[number], answer(dataset[number]))
        assert {case.score for case in cases} == {1}
    result = score.result()
    assert result.measures == {"J&F": 100, "J": 100, "F": 100}
    assert result.groups["J&F by annotation"] == dict.fromkeys(
        ("annot1", "annot1_full_video", "annot2", "annot2_full_video"), 100
    )


def test_ref_davis_gives_a_pixel_to_the_higher_score(tmp_path: Path, answer: Answer) -> None:
    write_ref_davis(tmp_path, "val", SEEDS[:1], FRAMES, SIZE)
    sample, score = RefDAVISDataset(tmp_path)[0], RefDavisScorer()
    everywhere = answer(sample, np.ones_like)
    score.add(sample, everywhere)
    measured = score.result().measures["J"]
    assert measured is not None and 0 < measured < 100 / len(sample.queries) * 4


@pytest.mark.parametrize("group", ["referring", "reasoning", "overall"])
def test_revos_scores_its_groups(tmp_path: Path, answer: Answer, group: str) -> None:
    write_revos(tmp_path, "valid", SEEDS, FRAMES, SIZE)
    kinds = ("referring", "reasoning") if group == "overall" else (group,)
    dataset, score = ReVOSDataset(tmp_path, "valid", kinds), ReVOSScorer(group)
    count = 0
    for number in range(len(dataset)):
        sample = dataset[number]
        count += len(score.add(sample, answer(sample)))
    result = score.result()
    assert result.n == count > 0
    assert set(result.measures.values()) == {100}
    if group == "overall":
        assert result.groups == {"J&F by kind": {"referring": 100, "reasoning": 100}}
        assert set(result.measures) == {"J&F", "J", "F", "A", "R"}
