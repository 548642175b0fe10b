"""J and F against their definitions, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.metrics.jf import (
    FrameMeans,
    contour,
    contour_accuracy,
    contour_match,
    contour_reach,
    region_similarity,
    same_frames,
)
from vlseg_cli.schema import InputError

MASKS = npst.arrays(bool, (9, 12))


def published_contour(mask: np.ndarray) -> np.ndarray:
    """Pixel by pixel: differs from a neighbor right, below or right below, if that exists."""
    height, width = mask.shape
    edge = np.zeros(mask.shape, bool)
    for y in range(height):
        for x in range(width):
            right, below = x + 1 < width, y + 1 < height
            edge[y, x] |= right and mask[y, x] != mask[y, x + 1]
            edge[y, x] |= below and mask[y, x] != mask[y + 1, x]
            edge[y, x] |= right and below and mask[y, x] != mask[y + 1, x + 1]
    return edge


def dilated(edge: np.ndarray, reach: int) -> np.ndarray:
    """Every pixel within ``reach`` of an edge pixel."""
    pixels = np.argwhere(edge)
    grid = np.stack(np.indices(edge.shape), axis=-1)
    squared = ((grid[:, :, None] - pixels) ** 2).sum(axis=-1)
    return (squared <= reach**2).any(axis=2)


def published_f(prediction: np.ndarray, truth: np.ndarray, reach: int) -> float:
    guess, goal = published_contour(prediction), published_contour(truth)
    if not guess.any() or not goal.any():
        return float(guess.any() == goal.any())
    precision = (guess & dilated(goal, reach)).sum() / guess.sum()
    recall = (goal & dilated(guess, reach)).sum() / goal.sum()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(MASKS, MASKS, st.integers(1, 4))
@settings(max_examples=60)
def test_f_is_that_of_dilated_contours(
    prediction: np.ndarray, truth: np.ndarray, reach: int
) -> None:
    ours = contour_match(contour(prediction), contour(truth), reach)
    assert ours == pytest.approx(published_f(prediction, truth, reach), abs=1e-12)
    assert 0 <= ours <= 1


@given(MASKS, MASKS, MASKS)
@settings(max_examples=30)
def test_void_pixels_count_for_neither(
    prediction: np.ndarray, truth: np.ndarray, void: np.ndarray
) -> None:
    kept = prediction & ~void, truth & ~void
    assert region_similarity(prediction, truth, void) == region_similarity(*kept)
    assert contour_accuracy(prediction, truth, void) == contour_accuracy(*kept)


@given(MASKS)
@settings(max_examples=20)
def test_the_truth_itself_scores_one(mask: np.ndarray) -> None:
    assert region_similarity(mask, mask) == contour_accuracy(mask, mask) == 1


def test_empty_masks() -> None:
    empty, some = np.zeros((5, 5), bool), np.zeros((5, 5), bool)
    some[1:3, 1:3] = True
    assert (region_similarity(empty, empty), contour_accuracy(empty, empty)) == (1, 1)
    assert (region_similarity(empty, some), contour_accuracy(some, empty)) == (0, 0)


def test_the_tolerance_grows_with_the_image() -> None:
    assert contour_reach(480, 854) == 8
    assert contour_reach(64, 100) == 1


def test_a_clip_is_the_mean_of_its_frames() -> None:
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    frames = FrameMeans()
    for goal, guess in same_frames(iter([full, full]), iter([empty, full])):
        frames.add(guess, goal)
    assert frames.means == (0.5, 1.0)


@pytest.mark.parametrize("shapes", [[(4, 4)], [(4, 4), (4, 5)], [(4, 4), (4, 4), (4, 4)]])
def test_frames_that_do_not_fit_are_refused(shapes: list[tuple[int, int]]) -> None:
    truth = [np.ones((4, 4), bool)] * 2
    with pytest.raises(InputError, match="same frames"):
        list(same_frames(truth, [np.ones(shape, bool) for shape in shapes]))
