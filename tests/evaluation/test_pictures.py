"""Pictures of cases: what is where in them, on a picture of one flat colour."""

import numpy as np

from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.pictures import draw_case
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
from vlseg_cli.schema.region import box_region

GREY = (100, 100, 100)


def left_half() -> np.ndarray:
    mask = np.zeros((64, 48), bool)
    mask[:, :24] = True
    return mask


def drawn(task: Task, prompt: Prompt, answer: np.ndarray) -> np.ndarray:
    frame = Frame(np.full((64, 48, 3), GREY, np.uint8), "flat")
    query = Query(task, prompt, left_half()[None], np.zeros(1, np.int64))
    segments = (segment_from_mask(answer, 0.9, "cup", 0),) if answer.any() else ()
    prediction = Prediction("flat", 0, 64, 48, task, prompt, segments)
    return np.asarray(draw_case(Case(frame, query, prediction, "IoU", 0.5)))


def test_answer_is_tinted_and_truth_outlined() -> None:
    pixels = drawn(Task.REFER, Expression("the cup"), ~left_half())
    assert pixels.shape == (512, 384, 3)
    assert tuple(pixels[256, 96]) == GREY  # inside the truth, where nothing was answered
    assert tuple(pixels[256, 300]) != GREY  # inside the answer
    assert tuple(pixels[256, 191]) == (255, 255, 255)  # the truth's last column
    assert tuple(pixels[256, 192]) == (0, 0, 0)


def test_an_empty_answer_leaves_the_picture() -> None:
    pixels = drawn(Task.REFER, Expression("the cup"), np.zeros((64, 48), bool))
    assert {tuple(colour) for colour in pixels[:, 200:].reshape(-1, 3)} == {GREY}


def test_the_prompt_is_yellow() -> None:
    prompt = Regions((box_region((30, 20, 40, 40), 64, 48),))
    pixels = drawn(Task.INTERACTIVE, prompt, left_half())
    red, green, blue = pixels[20 * 8, 35 * 8]
    assert red > 200 and green > 200 and blue < 50


def test_boxes_are_frames_not_fills() -> None:
    pixels = drawn(Task.DETECT, Categories(("cup",)), ~left_half())
    assert tuple(pixels[256, 300]) == GREY
    assert tuple(pixels[256, 0]) == (255, 255, 255)
    assert tuple(pixels[256, 192]) != GREY
