"""MeViS and ReVOS on expressions whose scores are known."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.video_expressions import ExpressionJF, ExpressionType, ReVOS
from vlseg_cli.schema import InputError


def test_missing_expressions_count_as_zero() -> None:
    mask = np.zeros((2, 8, 8), bool)
    mask[:, 2:5, 2:5] = True
    meter = ExpressionJF()
    assert meter.add(mask, mask) == (1, 1)
    meter.add_missing()
    result = meter.result()
    assert (result.j, result.f, result.jf, result.n) == (0.5, 0.5, 0.5, 2)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="same frames"):
        ExpressionJF().add(np.zeros((2, 4, 4), bool), np.zeros((3, 4, 4), bool))


def clip(rows: int) -> np.ndarray:
    masks = np.zeros((2, 10, 10), np.uint8)
    masks[:, :rows] = 1
    return masks


def areas(masks: np.ndarray) -> list[int]:
    return [int(mask.sum()) for mask in masks]


def test_accuracy_and_robustness_by_hand() -> None:
    score = ReVOS().add(ExpressionType.REFERRING, clip(4), clip(2), foreground=areas(clip(8)))
    assert score.j == 0.5
    assert score.a == pytest.approx(0.8)  # 20 of 100 pixels too many
    assert score.r == pytest.approx(1 - 20 / 80)


def test_robustness_never_falls_below_zero_and_needs_the_foreground() -> None:
    meter = ReVOS()
    assert meter.add(ExpressionType.REFERRING, clip(9), clip(1), foreground=areas(clip(1))).r == 0
    assert meter.add(ExpressionType.REASONING, clip(9), clip(1)).r is None
    assert meter.result().overall.r is None


def test_masks_of_255_are_wrong_only_with_raw_pixels() -> None:
    kind, truth = ExpressionType.REFERRING, clip(5)
    raw = ReVOS(raw_pixels=True).add(kind, 255 * truth, truth, foreground=areas(truth))
    ours = ReVOS().add(kind, 255 * truth, truth, foreground=areas(truth))
    assert (raw.j, raw.f, raw.a) == (1, 1, 0.5)
    assert (ours.j, ours.a, ours.r) == (1, 1, 1)


def test_overall_is_the_mean_of_the_groups_and_no_object_enters_none() -> None:
    meter = ReVOS()
    for rows in (2, 2, 4):
        meter.add(ExpressionType.REFERRING, clip(rows), clip(4))
    meter.add(ExpressionType.REASONING, clip(4), clip(4))
    meter.add(ExpressionType.NO_OBJECT, clip(4), clip(0))
    result = meter.result()
    assert result.referring.j == pytest.approx(2 / 3)
    assert result.overall.j == pytest.approx((2 / 3 + 1) / 2)
    assert result.reasoning.jf == 1


def test_percents_are_rounded_before_averaging() -> None:
    kind = ExpressionType.REFERRING
    rounded, exact = ReVOS(), ReVOS(decimals=None)
    for meter in (rounded, exact):
        meter.add(kind, clip(1), clip(3))
    assert rounded.result().referring.j == pytest.approx(0.3333, abs=1e-12)
    assert exact.result().referring.j == pytest.approx(1 / 3, abs=1e-12)


@pytest.mark.parametrize("answer", [None, np.zeros((2, 5, 5), bool)])
def test_a_missing_frame_or_a_wrong_size_scores_zero(answer: np.ndarray | None) -> None:
    meter = ReVOS()
    meter.add(ExpressionType.REASONING, answer, clip(4), foreground=areas(clip(4)))
    reasoning = meter.result().reasoning
    assert (reasoning.j, reasoning.f, reasoning.a, reasoning.r) == (0, 0, 0, 0)
