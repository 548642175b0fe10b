"""A session tracks its requests, and resumes from its state bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vlseg_cli.models.base import SessionState, VideoSegmenter, require_video
from vlseg_cli.models.psalm import tracking
from vlseg_cli.models.psalm.video import PSALMVideoSegmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Question,
    Region,
    Regions,
    Task,
    UsageError,
    decode_rle,
)
from vlseg_cli.schema.region import box_region, point_region
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.scene import Scene

ROOM = Categories(("cup", "table", "chair", "wall"), (False, False, False, True))
SEED, SIZE = 910_003, 96


@pytest.fixture(scope="module")
def scenes() -> tuple[Scene, ...]:
    return draw_clip(SEED, 6, SIZE)


@pytest.fixture(scope="module")
def frames(scenes: tuple[Scene, ...]) -> list[Frame]:
    return [Frame(scene.pixels, "film", index, index / 12) for index, scene in enumerate(scenes)]


@pytest.fixture(scope="module")
def embedded() -> VideoSegmenter:
    return require_video(load_model())


def requests_about(scenes: tuple[Scene, ...], at: int = 0) -> list[PromptRequest]:
    """Every kind of prompt at once."""
    size = scenes[0].ids.shape
    things = [item for item in scenes[at].items if item.is_thing]
    masks = tuple(Region("mask", scenes[at].mask(item.id)) for item in things[:2])
    x, y = (int(place) for place in things[0].center)
    drawn = Regions((point_region([(x, y)], *size), box_region((5, 5, 60, 60), *size)))
    return [
        PromptRequest(0, Task.REFER, Expression("the table")),
        PromptRequest(at, Task.VOS, Regions(masks)),
        PromptRequest(0, Task.VIS, ROOM, 0.05),
        PromptRequest(at, Task.VOS, drawn, None),
        PromptRequest(0, Task.REASON, Question("what keeps food cold?"), 0.1, True),
    ]


def comparable(predictions: list[Prediction]) -> list[object]:
    """Predictions without their seconds."""
    return [(one.frame, one.task, one.prompt, one.segments) for one in predictions]


def same_states(one: SessionState, other: SessionState) -> bool:
    return set(one) == set(other) and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name])
        for name in one
    )


@pytest.mark.parametrize("at", [0, 2])
def test_a_session_resumes_from_its_state_bit_for_bit(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame], at: int
) -> None:
    requests = requests_about(scenes, at)
    whole = segmenter.session(requests)
    broken = segmenter.session(requests)
    for frame in frames:
        kept = {name: array.copy() for name, array in broken.state().items()}
        broken = segmenter.session(requests, kept)
        assert comparable(whole.step(frame)) == comparable(broken.step(frame))
        assert same_states(whole.state(), broken.state())


def test_each_prompt_has_a_prediction_and_each_object_a_track_number(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame]
) -> None:
    requests = requests_about(scenes)
    session = segmenter.session(requests)
    numbers: list[set[int]] = [set() for _ in requests]
    for frame in frames:
        for place, prediction in enumerate(session.step(frame)):
            assert (prediction.prompt, prediction.task) == (
                requests[place].prompt,
                requests[place].task,
            )
            assert (prediction.frame, prediction.source) == (frame.index, "film")
            for segment in prediction.segments:
                assert decode_rle(segment.rle).shape == scenes[0].ids.shape
                assert segment.track_id is not None
                numbers[place].add(segment.track_id)
    assert numbers[0] <= {1} and numbers[1] <= {2, 3} and numbers[3] <= {4, 5} and numbers[4] <= {6}
    assert all(number > 6 for number in numbers[2])


def test_the_encoder_runs_once_for_all_prompts(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame]
) -> None:
    looks: list[int] = []
    hook = segmenter.model.vision_tower.register_forward_hook(lambda *_: looks.append(1))
    session = segmenter.session(requests_about(scenes))
    session.step(frames[0])
    session.step(frames[1])
    hook.remove()
    assert len(looks) == 2


def test_no_region_is_tracked_before_its_frame(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame]
) -> None:
    things = [item for item in scenes[3].items if item.is_thing][:2]
    masks = tuple(Region("mask", scenes[3].mask(item.id)) for item in things)
    session = segmenter.session([PromptRequest(3, Task.VOS, Regions(masks))])
    for frame in frames[:3]:
        assert session.step(frame)[0].segments == ()
    (given,) = session.step(frames[3])
    assert [segment.track_id for segment in given.segments] == [1, 2]
    for segment, region in zip(given.segments, masks, strict=True):
        assert np.array_equal(decode_rle(segment.rle), region.mask)


def test_regions_in_a_skipped_frame_are_an_error(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame]
) -> None:
    session = segmenter.session([PromptRequest(1, Task.VOS, requests_about(scenes)[1].prompt)])
    session.step(frames[0])
    with pytest.raises(UsageError, match="frame 1, in which the regions are drawn"):
        session.step(frames[2])


@pytest.mark.parametrize("prompt", [Categories(()), Regions(())])
def test_an_empty_prompt_is_an_error(segmenter: PSALMVideoSegmenter, prompt: object) -> None:
    with pytest.raises(UsageError, match="at least one"):
        segmenter.session([PromptRequest(0, Task.VIS, prompt)])  # type: ignore[arg-type]


def test_outputs_that_are_not_finite_change_no_state(
    segmenter: PSALMVideoSegmenter, scenes: tuple[Scene, ...], frames: list[Frame]
) -> None:
    session = segmenter.session(requests_about(scenes))
    session.step(frames[0])
    before = {name: array.copy() for name, array in session.state().items()}
    hook = segmenter.model.mask_decoder.decoder.layernorm.register_forward_hook(
        lambda _, __, hidden: hidden * torch.nan
    )
    with pytest.raises(NotFiniteError, match="not finite"):
        session.step(frames[1])
    hook.remove()
    assert same_states(before, session.state())
    session.step(frames[2])


def test_the_state_is_bounded(
    segmenter: PSALMVideoSegmenter, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "MAX_TRACKS", 5)
    monkeypatch.setattr(tracking, "_FAR", 2.0)  # nothing is found again: all is new
    monkeypatch.setattr(tracking, "_NEAR", 3.0)
    session = segmenter.session([PromptRequest(0, Task.VIS, ROOM, 0.0)])
    sizes, numbers = [], set()
    for round_ in range(3):
        for frame in frames:
            (prediction,) = session.step(replace(frame, index=6 * round_ + frame.index))
            numbers |= {segment.track_id for segment in prediction.segments}
        sizes.append(sum(array.nbytes for array in session.state().values()))
    assert len(numbers) > 15
    assert sizes[0] == sizes[1] == sizes[2]
    assert len(session.state()["0.numbers"]) == 5


def test_regions_keep_their_numbers_through_a_cut(
    embedded: VideoSegmenter,
) -> None:
    """Masks of the first frame; then another scene altogether; then back."""
    scenes = draw_clip(SEED, 12, 192)[:4]
    elsewhere = draw_clip(SEED + 8, 3, 192)
    things = [item for item in scenes[0].items if item.is_thing]
    largest = sorted(things, key=lambda item: -item.area)[:3]
    regions = Regions(tuple(Region("mask", scenes[0].mask(item.id)) for item in largest))
    session = embedded.session([PromptRequest(0, Task.VOS, regions)])
    film = [scenes[0], scenes[1], *elsewhere, scenes[2], scenes[3]]
    answers = [
        session.step(Frame(scene.pixels, "film", index))[0] for index, scene in enumerate(film)
    ]
    assert [one.segments for one in answers[2:5]] == [(), (), ()]
    for scene, answer in zip(scenes[2:4], answers[5:], strict=True):
        found = {segment.track_id: decode_rle(segment.rle) for segment in answer.segments}
        overlaps = [
            float((found[number] & scene.mask(item.id)).sum() / scene.mask(item.id).sum())
            for number, item in enumerate(largest, start=1)
        ]
        assert min(overlaps) > 0.5


def test_named_objects_keep_their_numbers(embedded: VideoSegmenter) -> None:
    scenes = draw_clip(SEED, 6, 192)
    session = embedded.session(
        [PromptRequest(0, Task.VIS, Categories(embedded.categories, embedded.stuff))]
    )
    seen: list[dict[int, str]] = []
    for index, scene in enumerate(scenes):
        (prediction,) = session.step(Frame(scene.pixels, "film", index))
        seen.append({s.track_id or 0: s.label for s in prediction.segments})
    assert len(seen[0]) >= 3
    assert len(set(seen[0]) & set(seen[-1])) >= 3
    assert all(seen[0][number] == seen[-1][number] for number in set(seen[0]) & set(seen[-1]))


def test_a_model_of_images_alone_is_an_error() -> None:
    class Still:
        name, categories, stuff = "still", (), ()

    with pytest.raises(UsageError, match="still takes images only"):
        require_video(Still())  # type: ignore[arg-type]
