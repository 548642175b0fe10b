"""Track ids through gaps and duplicates, and a state from which tracking continues."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlseg_cli.nn.tracker import (
    BACKGROUND,
    DROPPED,
    IDOL_RULES,
    Tracker,
    TrackerRules,
    mask_iou,
    mask_nms,
)

Frame = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def seen(*things: int, score: float = 0.9) -> Frame:
    """Things as detections: each has its own direction and its own column of the picture."""
    looks = 8 * np.eye(6, dtype=np.float32)[list(things)]
    masks = np.zeros((len(things), 4, 6), bool)
    for place, thing in enumerate(things):
        masks[place, :, thing] = True
    return np.full(len(things), score, np.float32), looks, masks


@pytest.fixture(params=[TrackerRules(), IDOL_RULES], ids=["default", "idol"])
def rules(request: pytest.FixtureRequest) -> TrackerRules:
    return request.param


def test_an_object_keeps_its_id_in_any_order(rules: TrackerRules) -> None:
    tracker = Tracker(rules)
    assert tracker.step(*seen(0, 1, 2)).ids.tolist() == [0, 1, 2]
    assert tracker.step(*seen(2, 0, 1)).ids.tolist() == [2, 0, 1]
    assert tracker.step(*seen(3, 1)).ids.tolist() == [3, 1]


def test_an_object_is_matched_again_until_its_track_ends(rules: TrackerRules) -> None:
    tracker = Tracker(rules)
    tracker.step(*seen(0, 1))
    for _ in range(rules.forget_after - 1):
        tracker.step(*seen(1))
    assert tracker.step(*seen(0, 1)).ids.tolist() == [0, 1]
    for _ in range(rules.forget_after):
        tracker.step(*seen(1))
    assert tracker.step(*seen(0, 1)).ids.tolist() == [2, 1]


def test_frames_without_detections_end_no_track(rules: TrackerRules) -> None:
    tracker = Tracker(rules)
    tracker.step(*seen(0))
    for _ in range(3 * rules.forget_after):
        tracked = tracker.step(*seen())
        assert len(tracked.ids) == len(tracked.kept) == 0
    assert tracker.step(*seen(0)).ids.tolist() == [0]


def test_a_duplicate_is_dropped_and_a_weak_detection_is_background() -> None:
    scores, looks, masks = (np.concatenate(pair) for pair in zip(seen(0), seen(0), strict=True))
    tracked = Tracker().step(scores, looks, masks)
    assert (tracked.kept.tolist(), tracked.ids.tolist()) == ([0], [0])
    assert Tracker().step(*seen(1, score=0.1)).ids.tolist() == [BACKGROUND]
    inside = masks.copy()
    inside[1, 2:] = False  # half of the first, too alike for the backdrop
    weak = np.array([0.9, 0.1], np.float32)
    assert Tracker().step(weak, looks, inside).ids.tolist() == [0, DROPPED]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=12),
    st.sampled_from([TrackerRules(forget_after=2), IDOL_RULES]),
)
def test_a_restored_tracker_continues_equally(video: list[set[int]], rules: TrackerRules) -> None:
    whole, parts = Tracker(rules), Tracker(rules)
    for things in video:
        frame = seen(*sorted(things))
        expected, found = whole.step(*frame), parts.step(*frame)
        assert expected.ids.tolist() == found.ids.tolist()
        parts = Tracker(rules, parts.state())
        assert len(parts.tracks) <= 6 * (rules.forget_after + 1)


def test_overlap_of_masks() -> None:
    _, _, masks = seen(0, 1)
    iou = mask_iou(np.stack([masks[0], masks[0] | masks[1]]))
    assert iou == pytest.approx(np.array([[1, 0.5], [0.5, 1]]), abs=1e-5)
    assert mask_nms(iou, 0.4).tolist() == [0]
    assert mask_nms(iou, 0.6).tolist() == [0, 1]
    assert len(mask_nms(mask_iou(masks[:0]), 0.5)) == 0
