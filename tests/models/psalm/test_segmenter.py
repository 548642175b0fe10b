"""Frames and prompts in, predictions on each frame's own grid out; one encoding for all prompts."""

from collections.abc import Iterator

import numpy as np
import pytest

from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Region,
    Regions,
    Sample,
    Task,
    UsageError,
    decode_rle,
)
from vlseg_cli.schema.region import box_region, point_region
from vlseg_cli.synthetic.draw import draw_scene

CATEGORY_TASKS = [Task.PANOPTIC, Task.SEMANTIC, Task.INSTANCE, Task.DETECT]
ROOM = Categories(("cup", "table", "sky"), (False, False, True))


@pytest.fixture
def encoder_runs(segmenter: PSALMSegmenter) -> Iterator[list[int]]:
    """The batch size of every run of the vision tower during a test."""
    sizes: list[int] = []
    hook = segmenter.model.vision_tower.register_forward_hook(
        lambda _, pixels, __: sizes.append(len(pixels[0]))
    )
    yield sizes
    hook.remove()


def requests_about(frame: int, sample: Sample) -> list[PromptRequest]:
    """All prompts of a sample, with every kind of threshold."""
    requests = [PromptRequest(frame, query.task, query.prompt) for query in sample.queries]
    requests += [PromptRequest(frame, task, ROOM, 0.0) for task in CATEGORY_TASKS]
    requests.append(PromptRequest(frame, Task.REFER, Expression("the cups"), 0.1, many=True))
    return requests


def same(first: Prediction, second: Prediction) -> bool:
    """Whether two predictions are equal but for their seconds."""

    def told(one: Prediction) -> list[object]:
        ids = None if one.panoptic is None else one.panoptic.ids.tolist()
        segments = [(s.rle, s.bbox, s.label, s.category_id) for s in one.segments]
        return [one.source, one.task, one.prompt, segments, ids]

    scores = [[segment.score for segment in one.segments] for one in (first, second)]
    return told(first) == told(second) and scores[0] == pytest.approx(scores[1])


def on_the_frames_grid(prediction: Prediction, frame: Frame) -> None:
    """Assert that all of a prediction has the frame's size, and fits together."""
    size = (frame.height, frame.width)
    assert (prediction.height, prediction.width) == size
    for segment in prediction.segments:
        mask = decode_rle(segment.rle)
        assert mask.shape == size and mask.sum() == segment.area
        assert 0 <= segment.score <= 1
        x, y, w, h = segment.bbox
        assert 0 <= x <= x + w <= frame.width and 0 <= y <= y + h <= frame.height
    if prediction.panoptic is not None:
        assert prediction.panoptic.ids.shape == size
        for number, segment in enumerate(prediction.segments, start=1):
            assert (decode_rle(segment.rle) == (prediction.panoptic.ids == number)).all()


def test_prompts_share_one_encoding_and_equal_single_requests(
    segmenter: PSALMSegmenter, samples: list[Sample], encoder_runs: list[int]
) -> None:
    requests = [
        request for frame, sample in enumerate(samples) for request in requests_about(frame, sample)
    ]
    together = segmenter.predict(segmenter.encode([s.frame for s in samples]), requests)
    assert encoder_runs == [3]
    assert sum(len(prediction.segments) for prediction in together) > len(requests)
    for request, prediction in zip(requests, together, strict=True):
        alone = segmenter.encode([samples[request.frame].frame])
        (single,) = segmenter.predict(
            alone, [PromptRequest(0, request.task, request.prompt, request.threshold, request.many)]
        )
        assert same(prediction, single)
    assert encoder_runs == [3, *[1] * len(requests)]


def test_predictions_do_not_depend_on_earlier_requests(
    segmenter: PSALMSegmenter, samples: list[Sample]
) -> None:
    requests = requests_about(0, samples[0])
    encoded = segmenter.encode([samples[0].frame])
    first = segmenter.predict(encoded, requests)
    second = segmenter.predict(encoded, requests[::-1])[::-1]
    assert all(same(a, b) for a, b in zip(first, second, strict=True))


def test_more_prompts_than_one_batch_holds(
    segmenter: PSALMSegmenter, samples: list[Sample]
) -> None:
    """The same few sentences repeated: their predictions repeat across batches."""
    texts = ["the cup", "the red table", "a tree"]
    requests = [PromptRequest(i % 2, Task.REFER, Expression(texts[i % 3])) for i in range(40)]
    predictions = segmenter.predict(segmenter.encode([s.frame for s in samples[:2]]), requests)
    assert len(predictions) == 40
    for index, prediction in enumerate(predictions):
        assert prediction.prompt == requests[index].prompt
        assert same(prediction, predictions[index % 6])
    assert len({segment.score for p in predictions[:6] for segment in p.segments}) >= 3


def test_a_prompt_with_several_tasks_runs_once(
    segmenter: PSALMSegmenter, samples: list[Sample]
) -> None:
    rows: list[int] = []
    hook = segmenter.model.mask_decoder.register_forward_hook(
        lambda _, inputs, __: rows.append(len(inputs[0]))
    )
    requests = [
        PromptRequest(frame, task, ROOM, 0.0) for frame in (0, 1) for task in CATEGORY_TASKS
    ]
    predictions = segmenter.predict(segmenter.encode([s.frame for s in samples[:2]]), requests)
    hook.remove()
    assert rows == [2]
    assert [p.task for p in predictions] == CATEGORY_TASKS * 2
    assert not same(predictions[0], predictions[4])


def test_no_request_gives_no_prediction(segmenter: PSALMSegmenter, samples: list[Sample]) -> None:
    assert segmenter.predict(segmenter.encode([samples[0].frame]), []) == []


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (37, 91), (150, 53), (7, 5), (1, 90), (90, 1), (1, 1), (3, 400)]
)
def test_every_task_predicts_on_the_frames_own_grid(
    segmenter: PSALMSegmenter, height: int, width: int
) -> None:
    scene = draw_scene(21, 96).pixels
    rows, columns = (
        np.arange(n) * side // n for n, side in ((height, scene.shape[0]), (width, scene.shape[1]))
    )
    frame = Frame(scene[rows][:, columns], "odd")
    point = point_region([(width - 1, height - 1)], height, width)
    requests = [
        PromptRequest(0, task, ROOM, threshold)
        for task in CATEGORY_TASKS
        for threshold in (None, 0.0)
    ]
    requests += [
        PromptRequest(0, Task.REFER, Expression("the cup")),
        PromptRequest(0, Task.REASON, Question("what keeps food cold?"), many=True),
        PromptRequest(
            0, Task.INTERACTIVE, Regions((point, box_region((0, 0, 2, 1), height, width)))
        ),
    ]
    for request, prediction in zip(
        requests, segmenter.predict(segmenter.encode([frame]), requests), strict=True
    ):
        on_the_frames_grid(prediction, frame)
        assert (prediction.panoptic is not None) is (request.task in (Task.PANOPTIC, Task.SEMANTIC))


def test_frames_of_different_sizes_share_a_batch(
    segmenter: PSALMSegmenter, encoder_runs: list[int]
) -> None:
    frames = [Frame(draw_scene(seed, size).pixels, str(seed)) for seed, size in ((1, 64), (2, 90))]
    requests = [PromptRequest(frame, Task.SEMANTIC, ROOM) for frame in (1, 0, 1)]
    predictions = segmenter.predict(segmenter.encode(frames), requests)
    assert encoder_runs == [2]
    assert [p.source for p in predictions] == ["2", "1", "2"]
    for request, prediction in zip(requests, predictions, strict=True):
        on_the_frames_grid(prediction, frames[request.frame])


def test_regions_are_predicted_in_their_order(
    segmenter: PSALMSegmenter, samples: list[Sample]
) -> None:
    for sample in samples:
        (prompt,) = (q.prompt for q in sample.queries if isinstance(q.prompt, Regions))
        request = PromptRequest(0, Task.INTERACTIVE, prompt)
        (prediction,) = segmenter.predict(segmenter.encode([sample.frame]), [request])
        labels = [f"{region.kind} {n}" for n, region in enumerate(prompt.regions, start=1)]
        assert [segment.label for segment in prediction.segments] == labels


def test_a_dot_on_a_large_image_gets_a_mask(segmenter: PSALMSegmenter) -> None:
    frame = Frame(np.zeros((700, 900, 3), np.uint8), "dark")
    dot = np.zeros((700, 900), bool)
    dot[333, 555] = True
    request = PromptRequest(0, Task.INTERACTIVE, Regions((Region("mask", dot),)))
    (prediction,) = segmenter.predict(segmenter.encode([frame]), [request])
    assert len(prediction.segments) == 1


def test_empty_prompts_are_errors(segmenter: PSALMSegmenter, samples: list[Sample]) -> None:
    encoded = segmenter.encode([samples[0].frame])
    nowhere = Region("mask", np.zeros(samples[0].frame.pixels.shape[:2], bool))
    for prompt, expected in (
        (Categories(()), "at least one name"),
        (Regions(()), "at least one"),
        (Regions((nowhere,)), "no pixels"),
    ):
        with pytest.raises(UsageError, match=expected):
            segmenter.predict(encoded, [PromptRequest(0, Task.PANOPTIC, prompt)])


def test_seconds_are_recorded(segmenter: PSALMSegmenter, samples: list[Sample]) -> None:
    encoded = segmenter.encode([samples[0].frame])
    request = PromptRequest(0, Task.REFER, Expression("the cup"))
    first, second = (segmenter.predict(encoded, [request])[0].seconds for _ in range(2))
    assert set(first) == {"see", "answer"} and min(first.values()) > 0
    assert first["see"] == second["see"] == encoded.seconds
