"""Frames and prompts in, predictions out: every task, long lists, captions, no target."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from models.mvp_lm_models import segmenter_of, tokenizer_with_summary
from numpy.typing import NDArray

from vlseg_cli.models.mvp_lm.prompts import SUMMARY
from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Question,
    Regions,
    Sample,
    Segment,
    Task,
    UsageError,
    decode_rle,
)
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import Tokenizer

EVERYTHING = Categories(NAMES, STUFF)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizer_with_summary()


@pytest.fixture(scope="module")
def segmenter(tokenizer: Tokenizer) -> MVPLMSegmenter:
    return segmenter_of(tokenizer)


@pytest.fixture(scope="module")
def frames(samples: list[Sample]) -> list[Frame]:
    return [samples[0].frame, Frame(samples[1].frame.pixels[:41, :37], "cut")]


def predict(
    segmenter: MVPLMSegmenter, frames: list[Frame], *requests: PromptRequest
) -> list[Prediction]:
    return segmenter.predict(segmenter.encode(frames), requests)


def boxes_of(segments: Sequence[Segment]) -> NDArray[np.float64]:
    return np.array([segment.bbox for segment in segments])


@pytest.mark.parametrize("task", [Task.PANOPTIC, Task.SEMANTIC])
def test_panoptic_and_semantic_maps_match_their_segments(
    segmenter: MVPLMSegmenter, frames: list[Frame], task: Task
) -> None:
    (found,) = predict(segmenter, frames, PromptRequest(1, task, EVERYTHING, 0.0))
    assert found.panoptic is not None and found.panoptic.ids.shape == (41, 37)
    for number, segment in enumerate(found.segments, start=1):
        owned = found.panoptic.ids == number
        assert segment.area == owned.sum()
        assert np.array_equal(decode_rle(segment.rle), owned)


@pytest.mark.parametrize("task", [Task.INSTANCE, Task.DETECT, Task.GROUND])
def test_objects_with_boxes_and_masks(
    segmenter: MVPLMSegmenter, frames: list[Frame], task: Task
) -> None:
    (found,) = predict(segmenter, frames, PromptRequest(1, task, EVERYTHING, 0.0))
    assert found.segments
    scores = [segment.score for segment in found.segments]
    assert scores == sorted(scores, reverse=True)
    for segment in found.segments:
        assert segment.category_id is not None and EVERYTHING.is_thing(segment.category_id)
        assert segment.label == NAMES[segment.category_id]
        x, y, width, height = segment.bbox
        assert 0 <= x <= x + width <= 37 and 0 <= y <= y + height <= 41


def test_detection_returns_predicted_boxes(segmenter: MVPLMSegmenter, frames: list[Frame]) -> None:
    """Detection and instances have the same masks; detection takes the predicted boxes."""
    found, same = predict(
        segmenter,
        frames,
        PromptRequest(0, Task.DETECT, EVERYTHING, 0.0),
        PromptRequest(0, Task.INSTANCE, EVERYTHING, 0.0),
    )
    filled = [segment for segment in found.segments if segment.area]
    assert [s.rle for s in filled] == [s.rle for s in same.segments]
    assert [s.bbox for s in filled] != [s.bbox for s in same.segments]


def test_a_sentence_has_one_segment(segmenter: MVPLMSegmenter, frames: list[Frame]) -> None:
    cup = Expression("the red cup")
    refer, ground = predict(
        segmenter, frames, PromptRequest(0, Task.REFER, cup), PromptRequest(0, Task.GROUND, cup)
    )
    assert len(ground.segments) == 1
    assert [s.rle for s in refer.segments] == [s.rle for s in ground.segments if s.area]


def test_there_may_be_no_target(segmenter: MVPLMSegmenter, frames: list[Frame]) -> None:
    """With ``many`` there may be no target: then no segment is predicted, not the best one."""
    cup = Expression("the red cup")
    for task in (Task.REFER, Task.GROUND):
        none, every = predict(
            segmenter,
            frames,
            PromptRequest(0, task, cup, 0.999999, many=True),
            PromptRequest(0, task, cup, 0.0, many=True),
        )
        assert none.segments == () and every.segments


def test_batched_prompts_equal_single_prompts(
    segmenter: MVPLMSegmenter, frames: list[Frame]
) -> None:
    requests = [
        PromptRequest(1, Task.PANOPTIC, EVERYTHING, 0.0),
        PromptRequest(0, Task.DETECT, Categories(("cup", "tree")), 0.0),
        PromptRequest(1, Task.REFER, Expression("the tree")),
        PromptRequest(0, Task.REFER, Expression("the large red cup left of the table")),
    ]
    for together, request in zip(predict(segmenter, frames, *requests), requests, strict=True):
        (alone,) = predict(segmenter, frames, request)
        assert [s.rle for s in together.segments] == [s.rle for s in alone.segments]
        assert np.allclose(boxes_of(together.segments), boxes_of(alone.segments))


@pytest.mark.parametrize("paper", [False, True])
def test_long_lists_do_not_depend_on_the_chunk_size(
    tokenizer: Tokenizer, frames: list[Frame], paper: bool
) -> None:
    summary = tokenizer.rust.token_to_id(SUMMARY) if paper else None
    segmenter = segmenter_of(tokenizer, names_together=100, summary_token=summary)
    known = sorted(words())
    names = tuple(f"{known[i % 97]} {known[i // 97]} {known[i % 31]}" for i in range(1203))
    request = PromptRequest(0, Task.DETECT, Categories(names), 0.0)
    results = []
    for segmenter.names_per_pass in (len(names) + 1, 250):
        (found,) = predict(segmenter, frames, request)
        results.append(found.segments)
    whole, *cut = results
    assert len({segment.label for segment in whole}) > 1
    for segments in cut:
        assert [s.label for s in segments] == [s.label for s in whole]
        assert [s.score for s in segments] == pytest.approx([s.score for s in whole], abs=1e-5)
        assert np.allclose(boxes_of(segments), boxes_of(whole), atol=1e-5)


def test_long_lists_do_not_depend_on_their_order(tokenizer: Tokenizer, frames: list[Frame]) -> None:
    segmenter = segmenter_of(tokenizer, names_together=3)
    forward, backward = Categories(NAMES), Categories(NAMES[::-1])
    found = predict(
        segmenter,
        frames,
        *(PromptRequest(0, Task.DETECT, names, 0.0) for names in (forward, backward)),
    )
    one, other = ([(s.label, round(s.score, 9)) for s in each.segments] for each in found)
    assert sorted(one) == sorted(other)


def test_the_first_name_is_encoded_the_same_in_both_modes(
    tokenizer: Tokenizer, frames: list[Frame]
) -> None:
    """The first name of a list attends to no other name, as every name of a long list."""
    together, apart = segmenter_of(tokenizer), segmenter_of(tokenizer, names_together=1)
    conditions = []
    for segmenter in (together, apart):
        encoded = segmenter.encode(frames)
        row = segmenter._row(PromptRequest(0, Task.INSTANCE, Categories(("red cup", "tree"))))
        instruction, _ = segmenter._instruction(encoded, [row], torch.tensor([0]))
        conditions.append(instruction.pooled[0])
    assert torch.allclose(conditions[0][0], conditions[1][0])
    assert not torch.allclose(conditions[0][1], conditions[1][1])


def test_a_caption_is_returned_with_the_segments(tokenizer: Tokenizer, frames: list[Frame]) -> None:
    segmenter = segmenter_of(tokenizer, summary_token=tokenizer.rust.token_to_id(SUMMARY))
    requests = (
        PromptRequest(0, Task.REFER, Expression("the cup")),
        PromptRequest(1, Task.PANOPTIC, EVERYTHING, 0.0),
    )
    captioned = predict(segmenter, frames, *requests)
    assert all(found.text for found in captioned)
    assert [found.text for found in predict(segmenter_of(tokenizer), frames, *requests)] == ["", ""]


def test_unsupported_prompts_are_rejected(segmenter: MVPLMSegmenter, frames: list[Frame]) -> None:
    with pytest.raises(UsageError, match="at least one name"):
        predict(segmenter, frames, PromptRequest(0, Task.DETECT, Categories(())))
    with pytest.raises(UsageError, match="no region prompts"):
        predict(segmenter, frames, PromptRequest(0, Task.INTERACTIVE, Regions(())))
    with pytest.raises(UsageError, match="conversations"):
        predict(segmenter, frames, PromptRequest(0, Task.CHAT, Question("what is this?")))


def test_nan_is_an_error(tokenizer: Tokenizer, frames: list[Frame]) -> None:
    segmenter = segmenter_of(tokenizer)
    torch.nn.init.constant_(segmenter.model.mask_head.layers[0].bias, torch.nan)
    with pytest.raises(NotFiniteError, match="not finite"):
        predict(
            segmenter,
            [replace(frames[0], source="a.png")],
            PromptRequest(0, Task.REFER, Expression("a")),
        )
