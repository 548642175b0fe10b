"""The best and worst cases: which are kept, one per image, and what each shows."""

import numpy as np

from vlseg_cli.evaluation.cases import Case, CaseKeeper, draw_case
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    Prompt,
    Query,
    Regions,
    Task,
    segment_from_mask,
)
from vlseg_cli.schema.region import box_region, point_region

PIXELS = np.zeros((8, 8, 3), np.uint8)


def case(source: str, score: float, prompt: Prompt, position: int = 0) -> Case:
    masks = np.zeros((2, 8, 8), bool)
    masks[0, :4], masks[1, 4:] = True, True
    segments = tuple(segment_from_mask(mask, 0.5, "it") for mask in masks)
    task = Task.REFER if isinstance(prompt, Expression) else Task.INTERACTIVE
    query = Query(task, prompt, masks, np.arange(2), kind="point")
    prediction = Prediction(source, 0, 8, 8, task, prompt, segments)
    return Case(Frame(PIXELS, source), query, prediction, "IoU", score, position)


def test_keeps_the_extremes_one_per_image() -> None:
    keeper = CaseKeeper(keep=2)
    prompt = Expression("the cup")
    scores = {"a": 0.1, "b": 0.9, "c": 0.5, "d": 0.8, "e": 0.2}
    keeper.add(case(name, score, prompt) for name, score in scores.items())
    keeper.add([case("b", 0.95, prompt), case("a", 0.15, prompt)])
    assert [(one.frame.source, one.score) for one in keeper.best(Task.REFER)] == [
        ("b", 0.95),
        ("d", 0.8),
    ]
    assert [(one.frame.source, one.score) for one in keeper.worst(Task.REFER)] == [
        ("a", 0.1),
        ("e", 0.2),
    ]
    assert keeper.best(Task.PANOPTIC) == []


def test_a_case_shows_only_its_own_region() -> None:
    regions = Regions((point_region([(2, 2)], 8, 8), point_region([(2, 6)], 8, 8)))
    second = case("a", 1.0, regions, position=1)
    assert second.text == "this point"
    assert second.region is regions.regions[1]
    assert second.truth.shape == (1, 8, 8) and second.truth[0, 7, 0]
    assert [one.bbox[1] for one in second.segments] == [4]


def test_a_prompt_of_names_is_one_case() -> None:
    whole = case("a", 1.0, Categories(("cup", "bowl")))
    assert whole.text == "all 2 names"
    assert len(whole.truth) == len(whole.segments) == 2
    assert whole.region is None
    assert case("a", 1.0, Expression("the cup")).text == "the cup"


GRAY = (100, 100, 100)


def left_half() -> np.ndarray:
    mask = np.zeros((64, 48), bool)
    mask[:, :24] = True
    return mask


def drawn(task: Task, prompt: Prompt, answer: np.ndarray) -> np.ndarray:
    frame = Frame(np.full((64, 48, 3), GRAY, np.uint8), "flat")
    query = Query(task, prompt, left_half()[None], np.zeros(1, np.int64))
    segments = (segment_from_mask(answer, 0.9, "cup", 0),) if answer.any() else ()
    prediction = Prediction("flat", 0, 64, 48, task, prompt, segments)
    return np.asarray(draw_case(Case(frame, query, prediction, "IoU", 0.5)))


def test_prediction_is_tinted_and_truth_outlined() -> None:
    pixels = drawn(Task.REFER, Expression("the cup"), ~left_half())
    assert pixels.shape == (512, 384, 3)
    assert tuple(pixels[256, 96]) == GRAY  # inside the truth, outside the prediction
    assert tuple(pixels[256, 300]) != GRAY  # inside the prediction
    assert tuple(pixels[256, 191]) == (255, 255, 255)  # the truth's last column
    assert tuple(pixels[256, 192]) == (0, 0, 0)


def test_an_empty_prediction_leaves_the_image() -> None:
    pixels = drawn(Task.REFER, Expression("the cup"), np.zeros((64, 48), bool))
    assert {tuple(color) for color in pixels[:, 200:].reshape(-1, 3)} == {GRAY}


def test_the_prompt_is_yellow() -> None:
    prompt = Regions((box_region((30, 20, 40, 40), 64, 48),))
    pixels = drawn(Task.INTERACTIVE, prompt, left_half())
    red, green, blue = pixels[20 * 8, 35 * 8]
    assert red > 200 and green > 200 and blue < 50


def test_boxes_are_frames_not_fills() -> None:
    pixels = drawn(Task.DETECT, Categories(("cup",)), ~left_half())
    assert tuple(pixels[256, 300]) == GRAY
    assert tuple(pixels[256, 0]) == (255, 255, 255)
    assert tuple(pixels[256, 192]) != GRAY
