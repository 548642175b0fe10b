"""Video: carried queries, tracks, regions; the state is small and plain arrays."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from vlseg_cli.models.hyperseg.video import HyperSegVideoSegmenter
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
from vlseg_cli.synthetic.clip import draw_clip

THINGS = Categories(("person", "dog", "car"))


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    clip = draw_clip(41, frames=5, size=64)
    return [Frame(scene.pixels, "clip", index) for index, scene in enumerate(clip)]


@pytest.fixture(scope="module")
def requests() -> list[PromptRequest]:
    """One of each kind; the regions are drawn in frame 1."""
    scene = draw_clip(41, frames=5, size=64)[1]
    first, second, *_ = scene.items
    regions = (Region("mask", scene.mask(first.id)), Region("box", scene.mask(second.id)))
    return [
        PromptRequest(0, Task.RVOS, Expression("the red dog")),
        PromptRequest(0, Task.RVOS, Question("what barks?")),
        PromptRequest(0, Task.VIS, THINGS, 0.0),
        PromptRequest(0, Task.SEMANTIC, THINGS),
        PromptRequest(1, Task.VOS, Regions(regions)),
    ]


def comparable(predictions: Sequence[Prediction]) -> list[object]:
    return [
        (p.task, p.frame, p.text, [(s.rle, s.score, s.label, s.track_id) for s in p.segments])
        for p in predictions
    ]


def test_every_prompt_has_a_prediction_in_every_frame(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    session = hyperseg.session(requests)
    answers = [session.step(frame) for frame in frames]
    for frame, predictions in zip(frames, answers, strict=True):
        assert [p.task for p in predictions] == [request.task for request in requests]
        assert all((p.frame, p.source) == (frame.index, "clip") for p in predictions)
    assert answers[0][4].segments == ()  # not drawn yet
    given, *_ = answers[1][4].segments
    drawn = requests[4].prompt.regions[0].mask  # type: ignore[union-attr]
    assert (decode_rle(given.rle) == drawn).all() and given.score == 1
    assert all(s.track_id == 1 for p in answers for s in p[0].segments)
    for predictions in answers[2:]:
        masks = [decode_rle(segment.rle) for segment in predictions[4].segments]
        assert sum(masks, start=np.zeros(masks[0].shape, int)).max() <= 1 if masks else True
        assert {s.track_id for s in predictions[4].segments} <= {1, 2}
    assert any(p[2].segments for p in answers)
    assert all(s.track_id for p in answers for s in p[2].segments)


def test_a_session_resumes_from_its_state(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    whole = hyperseg.session(requests)
    expected = [comparable(whole.step(frame)) for frame in frames]
    session = hyperseg.session(requests)
    for frame, wanted in zip(frames, expected, strict=True):
        assert comparable(session.step(frame)) == wanted
        state = {name: array.copy() for name, array in session.state().items()}
        session = hyperseg.session(requests, state)


def test_conditions_of_earlier_frames_count(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    session = hyperseg.session(requests[:1])
    *_, last = (session.step(frame) for frame in frames)
    fresh = hyperseg.session(requests[:1]).step(frames[-1])
    assert [s.score for s in last[0].segments] != [s.score for s in fresh[0].segments]


def test_the_state_is_bounded(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    session, sizes = hyperseg.session(requests), []
    for index in range(24):
        session.step(Frame(frames[index % 5].pixels, "clip", index))
        sizes.append(sum(array.nbytes for array in session.state().values()))
    assert max(sizes[12:]) <= max(sizes[:12]) + 24 * 1024


def test_prompts_share_one_encoding(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    ran: list[int] = []
    hook = hyperseg.model.vision_tower.register_forward_hook(lambda *_: ran.append(1))
    session = hyperseg.session(requests)
    for frame in frames[:2]:
        session.step(frame)
    hook.remove()
    assert len(ran) == 2


def test_outputs_that_are_not_finite_change_no_state(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame], requests: list[PromptRequest]
) -> None:
    session = hyperseg.session(requests)
    session.step(frames[0])
    before = session.state()
    hook = hyperseg.model.mask_decoder.decoder.layernorm.register_forward_hook(
        lambda _, __, out: out * torch.nan
    )
    with pytest.raises(NotFiniteError):
        session.step(frames[1])
    hook.remove()
    assert all((before[name] == array).all() for name, array in session.state().items())
    expected = hyperseg.session(requests, before).step(frames[1])
    assert comparable(session.step(frames[1])) == comparable(expected)


def test_a_region_of_another_size_is_an_error(
    hyperseg: HyperSegVideoSegmenter, frames: list[Frame]
) -> None:
    request = PromptRequest(0, Task.VOS, Regions((Region("box", np.ones((9, 9), bool)),)))
    with pytest.raises(UsageError, match="another size"):
        hyperseg.session([request]).step(frames[0])
