"""Panoptic quality against a pixel-by-pixel loop written from the definition, and its edges."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vlseg_cli.evaluation.metrics.panoptic_quality import PanopticQuality, PanopticSegment
from vlseg_cli.schema import InputError

CATEGORIES = (3, 7)
IDS = npst.arrays(np.int32, (4, 6), elements=st.integers(0, 4))
KINDS = st.lists(st.sampled_from(CATEGORIES), min_size=5, max_size=5)
CROWDS = st.lists(st.booleans(), min_size=5, max_size=5)


def segments(ids: np.ndarray, kinds: list[int], crowds: list[bool]) -> list[PanopticSegment]:
    return [PanopticSegment(int(i), kinds[i], None, crowds[i]) for i in np.unique(ids) if i]


def brute_force(
    truth: np.ndarray,
    true: list[PanopticSegment],
    prediction: np.ndarray,
    predicted: list[PanopticSegment],
) -> dict[int, SimpleNamespace]:
    """Every pair of segments, every pixel; nothing shared with the code under test."""
    counts = {category: SimpleNamespace(iou=0, tp=0, fp=0, fn=0) for category in CATEGORIES}
    pixels = list(zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True))
    done: set[int] = set()
    for goal in (one for one in true if not one.is_crowd):
        for guess in (one for one in predicted if one.category == goal.category):
            both = sum(pair == (goal.id, guess.id) for pair in pixels)
            either = sum(t == goal.id or (p == guess.id and t != 0) for t, p in pixels)
            if both / either > 0.5:
                counts[goal.category].tp += 1
                counts[goal.category].iou += both / either
                done.add(guess.id)
                break
        else:
            counts[goal.category].fn += 1
    for guess in (one for one in predicted if one.id not in done):
        area = sum(p == guess.id for _, p in pixels)
        crowd = [one.id for one in true if one.is_crowd and one.category == guess.category][-1:]
        excused = sum(p == guess.id and (t == 0 or t in crowd) for t, p in pixels)
        counts[guess.category].fp += excused / area <= 0.5
    return counts


@given(IDS, KINDS, CROWDS, IDS, KINDS)
@settings(max_examples=150)
def test_agrees_with_a_loop_over_all_pixels(
    truth: np.ndarray, kinds: list[int], crowds: list[bool], prediction: np.ndarray, guesses: list
) -> None:
    true = segments(truth, kinds, crowds)
    predicted = segments(prediction, guesses, [False] * 5)
    meter = PanopticQuality(CATEGORIES)
    meter.add(truth, true, prediction, predicted)
    expected = brute_force(truth, true, prediction, predicted)
    for category, count in meter.result().categories.items():
        wanted = expected[category]
        assert (count.tp, count.fp, count.fn) == (wanted.tp, wanted.fp, wanted.fn)
        assert count.iou == pytest.approx(wanted.iou)
    quality = meter.result().all
    assert quality is None or 0 <= quality.pq <= min(quality.sq, quality.rq) <= 1


@given(IDS, KINDS, IDS, KINDS, st.permutations([1, 2, 3, 4]))
@settings(max_examples=30)
def test_names_of_ids_do_not_matter(
    truth: np.ndarray, kinds: list, prediction: np.ndarray, guesses: list, order: list[int]
) -> None:
    renamed = np.array([0, *order])
    predicted = segments(prediction, guesses, [False] * 5)
    other = [PanopticSegment(int(renamed[one.id]), one.category) for one in reversed(predicted)]
    meters = PanopticQuality(CATEGORIES), PanopticQuality(CATEGORIES)
    true = segments(truth, kinds, [False] * 5)
    meters[0].add(truth, true, prediction, predicted)
    meters[1].add(truth, true, renamed[prediction], other)
    assert meters[0].result().all == meters[1].result().all


def test_the_truth_itself_scores_one() -> None:
    ids = np.arange(12).reshape(3, 4) // 4
    found = [PanopticSegment(1, 3), PanopticSegment(2, 7)]
    meter = PanopticQuality(CATEGORIES)
    meter.add(ids, found, ids, found)
    quality = meter.result().all
    assert quality is not None
    assert (quality.pq, quality.sq, quality.rq, quality.n) == (1, 1, 1, 2)


def test_half_an_overlap_is_no_match() -> None:
    truth = np.array([[1, 1, 1, 0]])
    meter = PanopticQuality(CATEGORIES)
    meter.add(
        np.array([[1, 1, 2, 2]]),
        [PanopticSegment(1, 3), PanopticSegment(2, 7)],
        truth,
        [PanopticSegment(1, 3)],
    )
    assert meter.result().categories[3].tp == 1  # 2 of 3 pixels
    meter.add(
        truth, [PanopticSegment(1, 3, area=4)], np.array([[2, 2, 0, 0]]), [PanopticSegment(2, 3)]
    )
    counts = meter.result().categories[3]
    assert (counts.tp, counts.fp, counts.fn) == (1, 1, 1)


def test_categories_that_never_occur_leave_no_mean() -> None:
    meter = PanopticQuality(CATEGORIES, things=[3])
    assert meter.result().all is None
    ids = np.ones((2, 2), int)
    meter.add(ids, [PanopticSegment(1, 3)], ids, [PanopticSegment(1, 3)])
    result = meter.result()
    assert result.all is not None and result.all.n == 1
    assert result.things == result.all
    assert result.stuff is None


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([], "not in both"),
        ([PanopticSegment(1, 3), PanopticSegment(9, 3)], "not in both"),
        ([PanopticSegment(1, 5)], "category 5"),
    ],
)
def test_a_map_that_contradicts_its_list_is_an_error(listed: list, message: str) -> None:
    ids = np.ones((2, 2), int)
    with pytest.raises(InputError, match=message):
        PanopticQuality(CATEGORIES).add(ids, [PanopticSegment(1, 3)], ids, listed)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="own size"):
        PanopticQuality(CATEGORIES).add(np.zeros((2, 3), int), [], np.zeros((3, 2), int), [])
