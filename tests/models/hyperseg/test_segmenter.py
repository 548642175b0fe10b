"""Images: both encoders run once for all prompts; text comes from the same model."""

from collections.abc import Iterator

import numpy as np
import pytest

from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    PromptRequest,
    Question,
    Region,
    Regions,
    Sample,
    Task,
    UsageError,
    decode_rle,
)

ROOM = Categories(("cup", "table", "sky"), (False, False, True))


@pytest.fixture
def encoder_runs(hyperseg: HyperSegSegmenter) -> Iterator[list[str]]:
    """Which encoders ran during a test."""
    model, ran = hyperseg.model, []
    towers = {"swin": model.vision_tower, "siglip": model.clip_tower, "fine": model.perceiver}
    hooks = [
        tower.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, tower in towers.items()
    ]
    yield ran
    for hook in hooks:
        hook.remove()


def requests_about(sample: Sample) -> list[PromptRequest]:
    requests = [PromptRequest(0, query.task, query.prompt) for query in sample.queries]
    return [
        *requests,
        *(PromptRequest(0, task, ROOM, 0.0) for task in (Task.SEMANTIC, Task.INSTANCE)),
    ]


def test_eight_prompts_share_one_encoding_and_one_prefix(
    hyperseg: HyperSegSegmenter, samples: list[Sample], encoder_runs: list[str]
) -> None:
    requests = requests_about(samples[0])
    assert (
        len(requests) >= 8 or len(requests) == len({id(request.prompt) for request in requests}) + 1
    )
    encoded = hyperseg.encode([samples[0].frame])
    predictions = hyperseg.predict(encoded, requests)
    assert sorted(encoder_runs) == ["fine", "siglip", "swin"]
    assert len(predictions) == len(requests)
    image, reasons = len(encoded.features.prefixes), {request.task for request in requests}
    assert image == 1 and {Task.REFER, Task.REASON, Task.INTERACTIVE} <= reasons
    frame = samples[0].frame
    for prediction in predictions:
        for segment in prediction.segments:
            assert decode_rle(segment.rle).shape == (frame.height, frame.width)


def test_a_batch_equals_single_requests(hyperseg: HyperSegSegmenter, samples: list[Sample]) -> None:
    frames = [sample.frame for sample in samples[:2]]
    requests = [
        PromptRequest(number, query.task, query.prompt)
        for number, sample in enumerate(samples[:2])
        for query in sample.queries
    ]
    together = hyperseg.predict(hyperseg.encode(frames), requests)
    for request, prediction in zip(requests, together, strict=True):
        alone = hyperseg.encode([frames[request.frame]])
        (single,) = hyperseg.predict(alone, [PromptRequest(0, request.task, request.prompt)])
        scores = [[segment.score for segment in one.segments] for one in (prediction, single)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-3)
        assert single.text == prediction.text


def test_generated_names_are_the_predictions_text(
    hyperseg: HyperSegSegmenter, samples: list[Sample]
) -> None:
    encoded = hyperseg.encode([samples[0].frame])
    (prediction,) = hyperseg.predict(encoded, [PromptRequest(0, Task.INSTANCE, ROOM)])
    question = hyperseg.prompts.category_question(ROOM.names)
    assert hyperseg.model.config.recognize_entities or prediction.text == ""
    whole = hyperseg.prompts.categories(ROOM.names)
    asked = len(question.ids)
    assert question.ids.tolist() == whole.ids[:asked].tolist()
    assert whole.ids[asked] == hyperseg.tokenizer.seg


def test_chat_generates_text(hyperseg: HyperSegSegmenter, samples: list[Sample]) -> None:
    encoded = hyperseg.encode([sample.frame for sample in samples[:2]])
    requests = [
        PromptRequest(1, Task.CHAT, Question("what is red?")),
        PromptRequest(0, Task.REFER, Expression("a cup")),
    ]
    talk, refer = hyperseg.predict(encoded, requests)
    assert (talk.task, talk.segments, talk.source) == (Task.CHAT, (), samples[1].frame.source)
    assert "[SEG]" not in talk.text and 1 <= len(talk.text.split()) <= 64
    assert refer.task is Task.REFER
    again, _ = hyperseg.predict(encoded, requests)
    assert again.text == talk.text
    with pytest.raises(UsageError, match="ask a question"):
        hyperseg.predict(encoded, [PromptRequest(0, Task.CHAT, ROOM)])


def test_empty_prompts_are_errors(hyperseg: HyperSegSegmenter, samples: list[Sample]) -> None:
    encoded = hyperseg.encode([samples[0].frame])
    nowhere = Region("mask", np.zeros(samples[0].frame.pixels.shape[:2], bool))
    for prompt, expected in (
        (Categories(()), "at least one name"),
        (Regions(()), "at least one"),
        (Regions((nowhere,)), "no pixels"),
    ):
        with pytest.raises(UsageError, match=expected):
            hyperseg.predict(encoded, [PromptRequest(0, Task.PANOPTIC, prompt)])


def test_a_dot_on_a_large_image_gets_a_mask(hyperseg: HyperSegSegmenter) -> None:
    dot = np.zeros((300, 500), bool)
    dot[133, 455] = True
    request = PromptRequest(0, Task.INTERACTIVE, Regions((Region("mask", dot),)))
    encoded = hyperseg.encode([Frame(np.zeros((300, 500, 3), np.uint8), "dark")])
    (prediction,) = hyperseg.predict(encoded, [request])
    assert len(prediction.segments) == 1
