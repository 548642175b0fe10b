"""Raw outputs to predictions: each task's rule, with outputs so clear that the result is known."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.mask2former.postprocessing import build_prediction
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    Prompt,
    PromptRequest,
    Question,
    Region,
    Regions,
    Task,
    decode_rle,
)

HEIGHT, WIDTH = 48, 64
FRAME = Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "room.png", index=4)
GEOMETRY = ImageGeometry((64, 64), (48, 64), (HEIGHT, WIDTH))
NAMES = ("cup", "dog", "sky")
CATEGORIES = Categories(NAMES, (False, False, True))
Part = tuple[Tensor, Tensor]


def box_logits(*boxes: tuple[int, int, int, int]) -> Tensor:
    """Mask logits (N, 16, 16): positive inside each box x0, y0, x1, y1 (in cells of 4 px)."""
    masks = torch.full((len(boxes), 16, 16), -8.0)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = 8.0
    return masks


def confident(*labels: int, classes: int = 4, logit: float = 9.0) -> Tensor:
    """Class logits (N, K + 1), each query confident of its label; 3 is no object."""
    logits = torch.zeros(len(labels), classes)
    logits[torch.arange(len(labels)), torch.tensor(labels)] = logit
    return logits


def predict(
    task: Task,
    prompt: Prompt,
    *parts: Part,
    threshold: float | None = None,
    many: bool = False,
) -> Prediction:
    request = PromptRequest(0, task, prompt, threshold, many)
    return build_prediction(request, FRAME, GEOMETRY, parts, PSALMConfig(), {"see": 0.5})


def masks_of(prediction: Prediction) -> list[NDArray[np.bool_]]:
    return [decode_rle(segment.rle) for segment in prediction.segments]


def covers(mask: NDArray[np.bool_], x0: int, y0: int, x1: int, y1: int) -> bool:
    """Whether a mask is this box in cells, give or take the two pixels of its soft edge."""
    inner = np.zeros_like(mask)
    inner[4 * y0 + 2 : 4 * y1 - 2, 4 * x0 + 2 : 4 * x1 - 2] = True
    outer = np.zeros_like(mask)
    outer[max(0, 4 * y0 - 2) : 4 * y1 + 2, max(0, 4 * x0 - 2) : 4 * x1 + 2] = True
    return bool(mask[inner].all() and not mask[~outer].any() and mask.any())


def test_a_prediction_holds_frame_task_and_prompt() -> None:
    part = (torch.tensor([[5.0]]), box_logits((0, 0, 4, 4)))
    prediction = predict(Task.REFER, Expression("the cup"), part)
    assert (prediction.source, prediction.frame) == ("room.png", 4)
    assert (prediction.height, prediction.width) == (HEIGHT, WIDTH)
    assert (prediction.task, prediction.text) == (Task.REFER, "")
    assert prediction.prompt == Expression("the cup")
    assert prediction.seconds == {"see": 0.5}
    assert prediction.panoptic is None


# Categories -------------------------------------------------------------------------------------


@pytest.fixture
def room() -> Part:
    """Two cups, a dog with a low score, half a sky each by two queries, and a no-object query."""
    masks = box_logits(
        (0, 6, 4, 10), (6, 6, 10, 10), (12, 6, 14, 8), (0, 0, 8, 4), (8, 0, 16, 4), (0, 0, 16, 12)
    )
    scores = confident(0, 0, 1, 2, 2, 3)
    scores[2, 1] = 1.2  # the dog: about one half
    return scores, masks


def test_panoptic(room: Part) -> None:
    prediction = predict(Task.PANOPTIC, CATEGORIES, room)
    assert prediction.panoptic is not None
    assert [s.label for s in prediction.segments] == ["cup", "cup", "sky"]
    assert [s.category_id for s in prediction.segments] == [0, 0, 2]
    first, second, sky = masks_of(prediction)
    assert covers(first, 0, 6, 4, 10) and covers(second, 6, 6, 10, 10) and covers(sky, 0, 0, 16, 4)
    for number, mask in enumerate((first, second, sky), start=1):
        assert ((prediction.panoptic.ids == number) == mask).all()
    assert prediction.panoptic.ids.dtype == np.int32
    assert all(segment.score > 0.99 for segment in prediction.segments)


def test_panoptic_threshold(room: Part) -> None:
    prediction = predict(Task.PANOPTIC, CATEGORIES, room, threshold=0.3)
    assert [s.label for s in prediction.segments] == ["cup", "cup", "dog", "sky"]
    assert prediction.segments[2].score == pytest.approx(np.exp(1.2) / (np.exp(1.2) + 3))


def test_panoptic_without_segments() -> None:
    prediction = predict(
        Task.PANOPTIC, CATEGORIES, (confident(3, 3), box_logits((0, 0, 4, 4)).repeat(2, 1, 1))
    )
    assert prediction.segments == ()
    assert prediction.panoptic is not None and not prediction.panoptic.ids.any()


def test_semantic_assigns_every_pixel_one_category(room: Part) -> None:
    prediction = predict(Task.SEMANTIC, CATEGORIES, room)
    assert prediction.panoptic is not None
    masks = masks_of(prediction)
    assert (np.sum(masks, 0) == 1).all()
    for number, (segment, mask) in enumerate(zip(prediction.segments, masks, strict=True), start=1):
        assert ((prediction.panoptic.ids == number) == mask).all()
        assert segment.category_id is not None and NAMES[segment.category_id] == segment.label
        assert 0 <= segment.score <= 1
    by_name = {s.label: mask for s, mask in zip(prediction.segments, masks, strict=True)}
    assert set(by_name) == set(NAMES)
    assert by_name["cup"][30, 8] and by_name["cup"][30, 30]
    assert by_name["sky"][5, 5] and by_name["sky"][5, 60]
    assert by_name["dog"][28, 52]


def test_semantic_scores_are_formed_at_the_size_of_the_input(room: Part) -> None:
    """Section 7.2: masks are resized first and become probabilities then."""
    scores, low = room[0], room[1] / 8
    prediction = predict(Task.SEMANTIC, CATEGORIES, (scores, low))
    masks = F.interpolate(low[None], (64, 64), mode="bilinear")[0].sigmoid()
    maps = torch.einsum("qc,qhw->chw", scores.softmax(-1)[:, :-1], masks)[:, :48]
    best, label = maps.max(0)
    for segment in prediction.segments:
        mine = label == segment.category_id
        assert (decode_rle(segment.rle) == mine.numpy()).all()
        assert segment.score == pytest.approx(float(best[mine].clamp(max=1).mean()), abs=1e-5)


@pytest.mark.parametrize("task", [Task.INSTANCE, Task.DETECT])
def test_instances_are_things_best_first(room: Part, task: Task) -> None:
    prediction = predict(task, CATEGORIES, room)
    assert [s.label for s in prediction.segments] == ["cup", "cup"]
    assert sorted(s.bbox[0] for s in prediction.segments) == pytest.approx([0, 24], abs=2)
    everything = predict(task, CATEGORIES, room, threshold=0.0)
    scores = [s.score for s in everything.segments]
    assert scores == sorted(scores, reverse=True)
    assert {s.label for s in everything.segments} == {"cup", "dog"}
    assert everything.panoptic is None
    for threshold in (0.3, 0.5, 0.999):
        some = predict(task, CATEGORIES, room, threshold=threshold)
        assert [s.score for s in some.segments] == [s for s in scores if s >= threshold]


def test_names_without_flags_are_things(room: Part) -> None:
    prediction = predict(Task.INSTANCE, Categories(NAMES), room)
    assert {s.label for s in prediction.segments} == {"cup", "sky"}


# Sentences --------------------------------------------------------------------------------------


@pytest.fixture
def cups() -> Part:
    """Three queries: one confident, one likely, one without a mask."""
    scores = torch.tensor([[1.5], [4.0], [-3.0]])
    return scores, box_logits((0, 0, 4, 4), (8, 0, 12, 4), (0, 6, 16, 12))


@pytest.mark.parametrize("prompt", [Expression("the cup"), Question("what holds tea?")])
def test_a_sentence_gets_the_best_mask(cups: Part, prompt: Expression | Question) -> None:
    (segment,) = predict(Task.REFER, prompt, cups).segments
    assert covers(decode_rle(segment.rle), 8, 0, 12, 4)
    assert segment.label == prompt.text and segment.category_id is None
    assert segment.score == pytest.approx(1 / (1 + np.exp(-4)), abs=0.03)
    assert segment.area == decode_rle(segment.rle).sum()


def test_a_threshold_may_leave_no_segment(cups: Part) -> None:
    prompt = Expression("the cup")
    assert len(predict(Task.REFER, prompt, cups, threshold=0.9).segments) == 1
    assert predict(Task.REFER, prompt, cups, threshold=0.99).segments == ()


@pytest.mark.parametrize(("threshold", "boxes"), [(None, 2), (0.9, 1), (0.999, 1), (0.01, 3)])
def test_many_join_all_above_the_threshold(cups: Part, threshold: float | None, boxes: int) -> None:
    (segment,) = predict(
        Task.REFER, Expression("cups"), cups, threshold=threshold, many=True
    ).segments
    mask = decode_rle(segment.rle)
    found = [mask[8, 8], mask[8, 40], mask[36, 32]]
    assert sum(found) == boxes and found[1]


def test_an_empty_mask_is_no_segment() -> None:
    nothing = (torch.tensor([[5.0]]), torch.full((1, 16, 16), -8.0))
    for many in (False, True):
        assert predict(Task.REFER, Expression("x"), nothing, many=many).segments == ()


# Regions ----------------------------------------------------------------------------------------


@pytest.fixture
def places() -> Regions:
    """A point and a box; outputs do not depend on their masks here."""
    mask = np.ones((HEIGHT, WIDTH), bool)
    return Regions((Region("point", mask), Region("box", mask)))


def columns(part: Part) -> Sequence[Part]:
    """The output of one prompt with all regions as outputs of one prompt each."""
    return [(part[0][:, k : k + 1], part[1]) for k in range(part[0].shape[1])]


@pytest.mark.parametrize("together", [True, False])
def test_each_region_gets_its_own_mask(places: Regions, together: bool) -> None:
    part = (torch.tensor([[3.0, -2.0], [-2.0, 1.0]]), box_logits((0, 0, 4, 4), (8, 6, 12, 10)))
    parts = [part] if together else columns(part)
    prediction = predict(Task.INTERACTIVE, places, *parts)
    assert [s.label for s in prediction.segments] == ["point 1", "box 2"]
    first, second = masks_of(prediction)
    assert covers(first, 0, 0, 4, 4) and covers(second, 8, 6, 12, 10)
    (only,) = predict(Task.INTERACTIVE, places, *parts, threshold=0.9).segments
    assert only.label == "point 1"


def test_two_regions_may_share_a_mask(places: Regions) -> None:
    part = (torch.tensor([[3.0, 2.0], [-2.0, 1.0]]), box_logits((0, 0, 4, 4), (8, 6, 12, 10)))
    first, second = predict(Task.INTERACTIVE, places, part).segments
    assert first.rle == second.rle and first.score > second.score


def test_a_region_without_a_mask_keeps_its_position(places: Regions) -> None:
    part = (torch.tensor([[3.0, -9.0]]), torch.full((1, 16, 16), -8.0))
    segments = predict(Task.INTERACTIVE, places, part).segments
    assert [(s.area, s.score, s.bbox) for s in segments] == [(0, 0.0, (0, 0, 0, 0))] * 2
