"""Clip samples: masks equal those of the scenes, frame by frame."""

import numpy as np
import pytest

from vlseg_cli.schema import Categories, ClipSample, Regions, Task
from vlseg_cli.synthetic.clip import draw_clip, moving_scene
from vlseg_cli.synthetic.clip_samples import MOTION_INVARIANT, ClipMix, clip_sample, union_scene
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.scene import Scene

MIX = ClipMix(frames=6, size=80)
SEEDS = range(900_000, 900_008)


@pytest.fixture(scope="module")
def clips() -> list[tuple[ClipSample, tuple[Scene, ...]]]:
    return [(clip_sample(seed, MIX), draw_clip(seed, MIX.frames, MIX.size)) for seed in SEEDS]


def test_a_clip_drawn_frame_by_frame_is_the_clip() -> None:
    scene = moving_scene(900_001, 5, 64)
    for index, one in enumerate(draw_clip(900_001, 5, 64)):
        assert np.array_equal(scene.at(index).pixels, one.pixels)


def test_frames_are_those_of_the_scenes(clips: list[tuple[ClipSample, tuple[Scene, ...]]]) -> None:
    for sample, scenes in clips:
        assert sample.length == MIX.frames and sample.names[1] == "00001"
        for index in (0, 3, 5):
            frame = sample.read(index)
            assert (frame.index, frame.source) == (index, sample.source)
            assert np.array_equal(frame.pixels, scenes[index].pixels)


def test_masks_equal_those_of_each_frame(clips: list[tuple[ClipSample, tuple[Scene, ...]]]) -> None:
    for sample, scenes in clips:
        for query in sample.queries:
            assert len(query.labels) == len(query.objects)
            for index, scene in enumerate(scenes):
                masks = query.masks(index)
                assert masks is not None and masks.shape == (len(query.objects), *scene.ids.shape)
                if isinstance(query.prompt, Categories | Regions):
                    for number, mask in zip(query.objects, masks, strict=True):
                        assert np.array_equal(mask, scene.mask(number))


def test_the_category_query_covers_every_thing_of_the_clip(
    clips: list[tuple[ClipSample, tuple[Scene, ...]]],
) -> None:
    for sample, scenes in clips:
        (query,) = (query for query in sample.queries if query.task is Task.VIS)
        things = [item for item in union_scene(scenes).items if item.is_thing]
        assert query.objects == tuple(item.id for item in things)
        assert [NAMES[label] for label in query.labels] == [item.category for item in things]


def test_objects_are_given_by_their_masks_in_the_first_frame(
    clips: list[tuple[ClipSample, tuple[Scene, ...]]],
) -> None:
    for sample, scenes in clips:
        for query in sample.queries:
            if isinstance(query.prompt, Regions):
                assert 1 <= len(query.objects) <= MIX.objects and query.first == 0
                for region, number in zip(query.prompt.regions, query.objects, strict=True):
                    assert np.array_equal(region.mask, scenes[0].mask(number))


def test_sentences_have_targets_and_half_are_motion_invariant(
    clips: list[tuple[ClipSample, tuple[Scene, ...]]],
) -> None:
    kinds = [q.kind for sample, _ in clips for q in sample.queries if q.task is Task.REFER]
    assert 0.3 < np.mean([kind in MOTION_INVARIANT for kind in kinds]) < 0.9
    for sample, _ in clips:
        for query in sample.queries:
            if query.task in (Task.REFER, Task.REASON):
                shown = [query.masks(index) for index in range(sample.length)]
                assert any(mask is not None and mask.any() for mask in shown)


def test_queries_are_deterministic() -> None:
    first, again = clip_sample(900_002, MIX), clip_sample(900_002, MIX)
    assert [(q.task, q.kind, q.objects) for q in first.queries] == [
        (q.task, q.kind, q.objects) for q in again.queries
    ]
