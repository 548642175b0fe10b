"""Clips: one scene in motion, with ids that denote the same object in every frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.clip import draw_clip, plan_clip
from vlseg_cli.synthetic.drawing.layout import plan_scene
from vlseg_cli.synthetic.hands import hand_named
from vlseg_cli.synthetic.rng import DrawingRng
from vlseg_cli.synthetic.scene import Scene


@pytest.fixture(scope="module")
def clips() -> list[tuple[Scene, ...]]:
    return [draw_clip(seed, 8, 80) for seed in range(24)]


def test_a_clip_is_deterministic(clips: list[tuple[Scene, ...]]) -> None:
    for one, other in zip(clips[3], draw_clip(3, 8, 80), strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.ids, other.ids)
        assert one.items == other.items


def test_an_id_is_the_same_thing_in_every_frame(clips: list[tuple[Scene, ...]]) -> None:
    for clip in clips:
        known: dict[int, tuple[str, str | None]] = {}
        for scene in clip:
            for item in scene.items:
                assert known.setdefault(item.id, (item.category, item.color)) == (
                    item.category,
                    item.color,
                )


def test_frames_list_what_they_show(clips: list[tuple[Scene, ...]]) -> None:
    for scene in (scene for clip in clips for scene in clip):
        assert [item.id for item in scene.items] == [i for i in np.unique(scene.ids).tolist() if i]
        for item in scene.items:
            assert item.area == int(scene.mask(item.id).sum())


def test_every_clip_has_motion(clips: list[tuple[Scene, ...]]) -> None:
    for clip in clips:
        assert len({scene.ids.tobytes() for scene in clip}) > len(clip) // 2
        assert len({scene.ids.shape for scene in clip}) == 1


def test_objects_enter_leave_and_are_occluded(clips: list[tuple[Scene, ...]]) -> None:
    entered = left = returned = 0
    for clip in clips:
        shown = {item.id: [] for scene in clip for item in scene.items}
        for number, visible in shown.items():
            visible.extend(bool(scene.mask(number).any()) for scene in clip)
            entered += not visible[0]
            left += not visible[-1]
            gap = "".join("#" if frame else "." for frame in visible).strip(".")
            returned += "." in gap
    assert entered > 5 and left > 5
    assert returned > 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**40), frames=st.integers(2, 40))
def test_paths_are_smooth(seed: int, frames: int) -> None:
    hand = hand_named("first")
    plan, motion = plan_clip(plan_scene(seed, hand), DrawingRng.seeded(seed, 1), hand)
    assert motion.paths
    moments = [motion.at(plan, frame, frames) for frame in range(frames)]
    for number, path in motion.paths.items():
        xs = [next(t.x for t in moment.things if t.id == number) for moment in moments]
        steps = np.diff(xs)
        assert np.abs(steps).max() <= 1.3 * abs(path.x1 - path.x0) / (frames - 1) + 1e-9
        assert (np.sign(steps) == np.sign(path.x1 - path.x0)).all()
    shifts = [moment.shift for moment in moments]
    assert np.abs(np.diff(shifts)).max() <= 0.12 * 2.2 / (frames - 1) + 1e-9


def test_more_frames_show_the_same_movement() -> None:
    coarse, fine = draw_clip(7, 3, 64), draw_clip(7, 5, 64)
    for one, other in zip(coarse, fine[::2], strict=True):
        assert np.array_equal(one.ids, other.ids)


def test_one_frame_is_a_clip_and_none_is_not() -> None:
    assert len(draw_clip(1, 1, 64)) == 1
    with pytest.raises(UsageError, match="0 frames"):
        draw_clip(1, 0, 64)
