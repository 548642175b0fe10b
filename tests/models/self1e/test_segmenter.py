"""Frames and prompts in, predictions on each frame's own grid out; one look, many answers."""

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


def asks_about(frame: int) -> list[PromptRequest]:
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
    """Whether two predictions say the same, their clocks aside."""

    def told(one: Prediction) -> list[object]:
        ids = None if one.panoptic is None else one.panoptic.ids.tolist()
        segments = [(s.rle, s.bbox, s.label, s.category_id) for s in one.segments]
        return [one.source, one.task, one.text, segments, ids]

    scores = [[segment.score for segment in one.segments] for one in (first, second)]
    return told(first) == told(second) and scores[0] == pytest.approx(scores[1])


@pytest.fixture
def looks(segmenter: SELF1ESegmenter) -> Iterator[list[int]]:
    """The number of tiles of every run of the vision tower during a test."""
    sizes: list[int] = []
    hook = segmenter.model.internvl.model.vision_tower.register_forward_hook(
        lambda _, __, out: sizes.append(len(out.last_hidden_state))
    )
    yield sizes
    hook.remove()


def test_many_questions_on_many_pictures_are_each_alone(
    segmenter: SELF1ESegmenter, frames: list[Frame], looks: list[int]
) -> None:
    requests = [ask for number in range(len(frames)) for ask in asks_about(number)]
    encoded = segmenter.encode(frames)
    assert len(looks) == len(encoded.features)
    together = segmenter.predict(encoded, requests)
    assert len(looks) == len(encoded.features)
    assert len({segment.score for p in together for segment in p.segments}) > len(frames)
    for ask, prediction in zip(requests, together, strict=True):
        alone = segmenter.encode([frames[ask.frame]])
        (single,) = segmenter.predict(
            alone, [PromptRequest(0, ask.task, ask.prompt, ask.threshold, ask.many)]
        )
        assert same(prediction, single)


def test_more_prompts_than_are_read_in_one_go(
    segmenter: SELF1ESegmenter, frames: list[Frame]
) -> None:
    texts = ["the cup", "the red table", "a tree"]
    requests = [PromptRequest(i % 2, Task.REFER, Expression(texts[i % 3])) for i in range(20)]
    predictions = segmenter.predict(segmenter.encode(frames[:2]), requests)
    for index, prediction in enumerate(predictions):
        assert prediction.prompt == requests[index].prompt
        assert same(prediction, predictions[index % 6])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 91), (7, 5), (1, 90), (1, 1)])
def test_answers_lie_on_the_pictures_own_grid(
    segmenter: SELF1ESegmenter, height: int, width: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    frame = Frame(pixels, "odd")
    for prediction in segmenter.predict(segmenter.encode([frame]), asks_about(0)):
        assert (prediction.height, prediction.width) == (height, width)
        for segment in prediction.segments:
            mask = decode_rle(segment.rle)
            assert mask.shape == (height, width) and 0 < mask.sum() == segment.area
            assert 0.5 <= segment.score <= 1 or prediction.task is Task.SEMANTIC


def test_every_pixel_has_the_name_that_is_drawn_there_most_clearly(
    segmenter: SELF1ESegmenter, frames: list[Frame]
) -> None:
    """One mask for each name, as if it had been asked for alone."""
    encoded = segmenter.encode(frames[:1])
    (both,) = segmenter.predict(encoded, [PromptRequest(0, Task.SEMANTIC, ROOM)])
    assert both.panoptic is not None and (both.panoptic.ids > 0).all()
    for number, segment in enumerate(both.segments, start=1):
        assert (decode_rle(segment.rle) == (both.panoptic.ids == number)).all()
        assert segment.label == ROOM.names[segment.category_id or 0]
    requests = [PromptRequest(0, Task.REFER, Expression(name)) for name in ROOM.names]
    claimed = np.zeros((3, *both.panoptic.ids.shape), bool)
    for mask, single in zip(claimed, segmenter.predict(encoded, requests), strict=True):
        for segment in single.segments:
            mask |= decode_rle(segment.rle)
    for segment in both.segments:
        mine, drawn = decode_rle(segment.rle), claimed[segment.category_id or 0]
        assert drawn[mine & claimed.any(0)].all()


def test_a_threshold_drops_what_is_less_sure(
    segmenter: SELF1ESegmenter, frames: list[Frame]
) -> None:
    encoded, prompt = segmenter.encode(frames[:1]), Expression("the red cup")
    (found,) = segmenter.predict(encoded, [PromptRequest(0, Task.REFER, prompt)])
    score = found.segments[0].score
    for threshold, kept in ((score - 1e-6, 1), (score + 1e-6, 0)):
        (again,) = segmenter.predict(encoded, [PromptRequest(0, Task.REFER, prompt, threshold)])
        assert len(again.segments) == kept


def test_chat_says_words_and_draws_what_it_promised(frames: list[Frame]) -> None:
    """A head that says two words, ``[SEG]`` and the end, whatever it is asked."""
    segmenter = segmenter_of(tiny())
    said = [*tokenizer().ids("the cup"), tokenizer().seg, segmenter.prompts.end]
    steps = iter(said)

    def speak(_module: object, _inputs: object, scores: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(
            torch.full(scores.shape[:-1], next(steps)), scores.shape[-1]
        ).to(scores)

    hook = segmenter.model.internvl.lm_head.register_forward_hook(speak)
    ask = PromptRequest(0, Task.CHAT, Question("where is it?"))
    (prediction,) = segmenter.predict(segmenter.encode(frames[:1]), [ask])
    hook.remove()
    assert prediction.text == "the cup"
    talk = segmenter.prompts.with_answer(segmenter.prompts.question("where is it?"), said)[0]
    encoded = segmenter.encode(frames[:1])
    with torch.inference_mode():
        drawn = segmenter.model(encoded.features[0], [talk], torch.tensor([0])).pred_masks
    assert len(prediction.segments) == len(drawn) == int((drawn > 0).any())
    assert SEG not in prediction.text


def test_what_cannot_be_asked(segmenter: SELF1ESegmenter, frames: list[Frame]) -> None:
    encoded = segmenter.encode(frames[:1])
    point = Regions((point_region([(3, 3)], 72, 90),))
    for task, prompt, said in (
        (Task.INTERACTIVE, point, "not for interactive"),
        (Task.PANOPTIC, ROOM, "no separate objects"),
        (Task.DETECT, ROOM, "for refer, reason, semantic, chat, not for detect"),
        (Task.SEMANTIC, Categories(()), "at least one name"),
        (Task.REFER, Expression("the [SEG]"), "is a special token"),
    ):
        with pytest.raises(UsageError, match=said.replace("[", r"\[")):
            segmenter.predict(encoded, [PromptRequest(0, task, prompt)])


def test_nothing_asked_is_nothing_answered(segmenter: SELF1ESegmenter, frames: list[Frame]) -> None:
    assert segmenter.predict(segmenter.encode(frames), []) == []


def test_numbers_that_are_none_are_an_error_and_no_empty_mask(frames: list[Frame]) -> None:
    model = tiny()
    with torch.no_grad():
        model.refill.describe[0].weight.fill_(float("nan"))
    segmenter = segmenter_of(model)
    with pytest.raises(NotFiniteError, match="72x90"):
        segmenter.predict(segmenter.encode(frames[:1]), asks_about(0)[:1])


def test_unknown_words(segmenter: SELF1ESegmenter) -> None:
    assert segmenter.unknown_words("the xylophone left of the cup") == ["xylophone"]
