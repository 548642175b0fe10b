"""Frames and prompts in, predictions in each frame's size out; each image is encoded once."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from models.self1e_tiny import segmenter_of, tiny, tokenizer

from vlseg_cli.models.self1e.segmenter import SELF1ESegmenter
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
    decode_rle,
)
from vlseg_cli.schema.region import point_region
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.text.tokenizer import SEG

ROOM = Categories(("cup", "table", "sky"), (False, False, True))


@pytest.fixture(scope="module", params=[1, 4], ids=["one tile", "four tiles"])
def segmenter(request: pytest.FixtureRequest) -> SELF1ESegmenter:
    return segmenter_of(tiny(max_tiles=request.param))


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Scenes of different shapes, so that with tiles they are cut differently."""
    scene = draw_scene(7, 96).pixels
    return [Frame(scene[:h, :w], f"{h}x{w}") for h, w in ((72, 90), (40, 90), (72, 72), (40, 89))]


def requests_for(frame: int) -> list[PromptRequest]:
    return [
        PromptRequest(frame, Task.REFER, Expression("the red cup")),
        PromptRequest(frame, Task.REASON, Question("what keeps food cold?"), 0.1),
        PromptRequest(frame, Task.SEMANTIC, ROOM),
        PromptRequest(frame, Task.CHAT, Question("what is this?")),
        PromptRequest(
            frame, Task.REFER, Expression("all the small trees left of the house"), many=True
        ),
    ]


def same(first: Prediction, second: Prediction) -> bool:
    """Whether two predictions are equal, measured times aside."""

    def content(one: Prediction) -> list[object]:
        ids = None if one.panoptic is None else one.panoptic.ids.tolist()
        segments = [(s.rle, s.bbox, s.label, s.category_id) for s in one.segments]
        return [one.source, one.task, one.text, segments, ids]

    scores = [[segment.score for segment in one.segments] for one in (first, second)]
    return content(first) == content(second) and scores[0] == pytest.approx(scores[1])


@pytest.fixture
def tile_counts(segmenter: SELF1ESegmenter) -> Iterator[list[int]]:
    """The number of tiles of every run of the vision tower during a test."""
    sizes: list[int] = []
    hook = segmenter.model.internvl.model.vision_tower.register_forward_hook(
        lambda _, __, out: sizes.append(len(out.last_hidden_state))
    )
    yield sizes
    hook.remove()


def test_batched_prompts_equal_single_prompts(
    segmenter: SELF1ESegmenter, frames: list[Frame], tile_counts: list[int]
) -> None:
    requests = [request for number in range(len(frames)) for request in requests_for(number)]
    encoded = segmenter.encode(frames)
    assert len(tile_counts) == len(encoded.features)
    together = segmenter.predict(encoded, requests)
    assert len(tile_counts) == len(encoded.features)
    assert len({segment.score for p in together for segment in p.segments}) > len(frames)
    for request, prediction in zip(requests, together, strict=True):
        alone = segmenter.encode([frames[request.frame]])
        (single,) = segmenter.predict(
            alone, [PromptRequest(0, request.task, request.prompt, request.threshold, request.many)]
        )
        assert same(prediction, single)


def test_more_prompts_than_one_batch_holds(segmenter: SELF1ESegmenter, frames: list[Frame]) -> None:
    texts = ["the cup", "the red table", "a tree"]
    requests = [PromptRequest(i % 2, Task.REFER, Expression(texts[i % 3])) for i in range(20)]
    predictions = segmenter.predict(segmenter.encode(frames[:2]), requests)
    for index, prediction in enumerate(predictions):
        assert prediction.prompt == requests[index].prompt
        assert same(prediction, predictions[index % 6])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 91), (7, 5), (1, 90), (1, 1)])
def test_masks_have_the_size_of_the_image(
    segmenter: SELF1ESegmenter, height: int, width: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    frame = Frame(pixels, "odd")
    for prediction in segmenter.predict(segmenter.encode([frame]), requests_for(0)):
        assert (prediction.height, prediction.width) == (height, width)
        for segment in prediction.segments:
            mask = decode_rle(segment.rle)
            assert mask.shape == (height, width) and 0 < mask.sum() == segment.area
            assert 0.5 <= segment.score <= 1 or prediction.task is Task.SEMANTIC


def test_every_pixel_has_the_category_with_the_highest_score(
    segmenter: SELF1ESegmenter, frames: list[Frame]
) -> None:
    """One mask per name, as from a prompt with that name alone."""
    encoded = segmenter.encode(frames[:1])
    (both,) = segmenter.predict(encoded, [PromptRequest(0, Task.SEMANTIC, ROOM)])
    assert both.panoptic is not None and (both.panoptic.ids > 0).all()
    for number, segment in enumerate(both.segments, start=1):
        assert (decode_rle(segment.rle) == (both.panoptic.ids == number)).all()
        assert segment.label == ROOM.names[segment.category_id or 0]
    requests = [PromptRequest(0, Task.REFER, Expression(name)) for name in ROOM.names]
    single_masks = np.zeros((3, *both.panoptic.ids.shape), bool)
    for mask, single in zip(single_masks, segmenter.predict(encoded, requests), strict=True):
        for segment in single.segments:
            mask |= decode_rle(segment.rle)
    for segment in both.segments:
        mine, masks = decode_rle(segment.rle), single_masks[segment.category_id or 0]
        assert masks[mine & single_masks.any(0)].all()


def test_the_threshold_drops_segments_with_lower_scores(
    segmenter: SELF1ESegmenter, frames: list[Frame]
) -> None:
    encoded, prompt = segmenter.encode(frames[:1]), Expression("the red cup")
    (found,) = segmenter.predict(encoded, [PromptRequest(0, Task.REFER, prompt)])
    score = found.segments[0].score
    for threshold, kept in ((score - 1e-6, 1), (score + 1e-6, 0)):
        (again,) = segmenter.predict(encoded, [PromptRequest(0, Task.REFER, prompt, threshold)])
        assert len(again.segments) == kept


def test_chat_returns_text_and_a_mask_per_seg_token(frames: list[Frame]) -> None:
    """With an output head that always generates two words, ``[SEG]`` and the end."""
    segmenter = segmenter_of(tiny())
    generated = [*tokenizer().ids("the cup"), tokenizer().seg, segmenter.prompts.end]
    steps = iter(generated)

    def force_token(_module: object, _inputs: object, scores: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(
            torch.full(scores.shape[:-1], next(steps)), scores.shape[-1]
        ).to(scores)

    hook = segmenter.model.internvl.lm_head.register_forward_hook(force_token)
    request = PromptRequest(0, Task.CHAT, Question("where is it?"))
    (prediction,) = segmenter.predict(segmenter.encode(frames[:1]), [request])
    hook.remove()
    assert prediction.text == "the cup"
    conversation = segmenter.prompts.with_answer(
        segmenter.prompts.question("where is it?"), generated
    )[0]
    encoded = segmenter.encode(frames[:1])
    with torch.inference_mode():
        masks = segmenter.model(encoded.features[0], [conversation], torch.tensor([0])).pred_masks
    assert len(prediction.segments) == len(masks) == int((masks > 0).any())
    assert SEG not in prediction.text


def test_unsupported_prompts_are_rejected(segmenter: SELF1ESegmenter, frames: list[Frame]) -> None:
    encoded = segmenter.encode(frames[:1])
    point = Regions((point_region([(3, 3)], 72, 90),))
    for task, prompt, message in (
        (Task.INTERACTIVE, point, "not for interactive"),
        (Task.PANOPTIC, ROOM, "no separate objects"),
        (Task.DETECT, ROOM, "for refer, reason, semantic, chat, not for detect"),
        (Task.SEMANTIC, Categories(()), "at least one name"),
        (Task.REFER, Expression("the [SEG]"), "is a special token"),
    ):
        with pytest.raises(UsageError, match=message.replace("[", r"\[")):
            segmenter.predict(encoded, [PromptRequest(0, task, prompt)])


def test_no_prompts_give_no_predictions(segmenter: SELF1ESegmenter, frames: list[Frame]) -> None:
    assert segmenter.predict(segmenter.encode(frames), []) == []


def test_nan_is_an_error_not_an_empty_mask(frames: list[Frame]) -> None:
    model = tiny()
    with torch.no_grad():
        model.refill.describe[0].weight.fill_(float("nan"))
    segmenter = segmenter_of(model)
    with pytest.raises(NotFiniteError, match="72x90"):
        segmenter.predict(segmenter.encode(frames[:1]), requests_for(0)[:1])


def test_unknown_words_are_reported(segmenter: SELF1ESegmenter) -> None:
    assert segmenter.tokenizer.unknown_words("the xylophone left of the cup") == ["xylophone"]
