"""Clip samples: masks equal those of the scenes, frame by frame."""

import re

import numpy as np
import pytest
from synthetic.language.wide.meaning import first_named

from vlseg_cli.schema import Categories, ClipSample, Regions, Task
from vlseg_cli.synthetic.clip import draw_clip, moving_scene
from vlseg_cli.synthetic.clip_samples import (
    MOTION_INVARIANT,
    ClipMix,
    clip_sample,
    synthetic_clip_frames,
    union_scene,
)
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.referring import no_target_expression
from vlseg_cli.synthetic.samples import SampleMix
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


def test_what_is_absent_from_a_wide_clip_is_absent_from_each_of_its_frames() -> None:
    rng = np.random.default_rng(0)
    checked = 0
    for seed in range(20):
        scenes = draw_clip(seed, 6, 64, hand="wide")
        whole = union_scene(scenes)
        for _ in range(8):
            text = no_target_expression(whole, rng, moving=True).text
            if not re.search(r"first|second|third|fourth|fifth|sixth|number|place|\bone\b", text):
                assert not any(first_named(text, scene) for scene in scenes), text
                checked += 1
    assert checked > 80


def test_frames_of_a_wide_clip_have_the_same_sentences_answered_or_not() -> None:
    mix = SampleMix(no_target=0.5, no_answer=0.5)
    empty = answered = 0
    for seed in range(12):
        samples = synthetic_clip_frames(seed, 64, mix, hand="wide").samples
        rows = [[q for q in s.queries if q.task is Task.RVOS] for s in samples]
        for row in zip(*rows, strict=True):
            assert len({query.prompt for query in row}) == 1
            shown = any(len(query.masks) for query in row)
            answered, empty = answered + shown, empty + (not shown)
    assert answered > 30 and empty > 30
