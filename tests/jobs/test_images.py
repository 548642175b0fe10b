"""A run answers every readable image once, lists the broken ones, and keeps what was done."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.jobs import Answered, Failed, Outcome, run_images
from vlseg_cli.outputs import OutputFolder, open_sinks
from vlseg_cli.schema import (
    Ask,
    Expression,
    Frame,
    Prediction,
    Prompt,
    Regions,
    Task,
    WeightsError,
    decode_rle,
    segment_from_mask,
)
from vlseg_cli.schema.region import point_region


class BrightSegmenter:
    """The simplest model there can be: whatever is asked, the bright pixels are meant."""

    name = "bright"
    categories = ("light",)
    stuff = (False,)

    def __init__(self) -> None:
        self.looks = 0

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        self.looks += 1
        return frames

    def answer(self, encoded: Sequence[Frame], asks: Sequence[Ask]) -> list[Prediction]:
        return [self._answer(encoded[ask.frame], ask.task, ask.prompt) for ask in asks]

    def _answer(self, frame: Frame, task: Task, prompt: Prompt) -> Prediction:
        segment = segment_from_mask(frame.pixels.mean(-1) > 127, 1.0, "bright")
        size = (frame.source, frame.index, frame.height, frame.width)
        return Prediction(*size, task, prompt, (segment,))


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Two pictures of one name in different folders, and a broken file between them."""
    paths = [tmp_path / "a" / "lamp.png", tmp_path / "broken.png", tmp_path / "b" / "lamp.png"]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        pixels = np.zeros((20 + number, 30, 3), np.uint8)
        pixels[5:15, 5:10] = 255
        Image.fromarray(pixels).save(path)
    paths[1].write_bytes(paths[1].read_bytes()[:60])
    return paths


def ask_two(frame: Frame) -> list[Ask]:
    """Two sentences about each picture."""
    return [Ask(0, Task.REFER, Expression(text)) for text in ("the lamp", "the light")]


def run(inputs: Sequence[Path], out: Path, formats: Sequence[str] = ("jsonl", "overlay")):
    """Run the bright model; returns it, the outcomes in order and the failures."""
    model, outcomes, folder = BrightSegmenter(), list[Outcome](), OutputFolder(out)
    sinks = open_sinks(formats, folder)
    failures = run_images(inputs, ask_two, model, folder, sinks, outcomes.append)
    return model, outcomes, failures


def test_prompts_on_one_image_share_one_look(tmp_path: Path, inputs: list[Path]) -> None:
    model, outcomes, _ = run(inputs[:1], tmp_path / "out")
    assert model.looks == 1
    assert len(outcomes[0].predictions) == 2


def test_a_broken_image_is_one_line_and_the_run_goes_on(tmp_path: Path, inputs: list[Path]) -> None:
    _, outcomes, failures = run(inputs, tmp_path / "out")
    assert [type(outcome) for outcome in outcomes] == [Answered, Failed, Answered]
    lines = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert len(lines) == len(failures) == 1
    assert json.loads(lines[0])["input"] == str(inputs[1])
    assert "cannot be decoded" in json.loads(lines[0])["error"]


def test_results_are_on_the_original_grid(tmp_path: Path, inputs: list[Path]) -> None:
    run(inputs, tmp_path / "out")
    lines = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [(r["input"], r["height"]) for r in records[::2]] == [
        (str(inputs[0]), 20),
        (str(inputs[2]), 22),
    ]
    mask = decode_rle(records[-1]["segments"][0]["segmentation"])
    assert mask.shape == (22, 30) and mask[5:15, 5:10].all() and mask.sum() == 50


def test_equal_names_from_different_folders_do_not_collide(
    tmp_path: Path, inputs: list[Path]
) -> None:
    run(inputs, tmp_path / "out")
    pictures = sorted(path.name for path in (tmp_path / "out" / "overlay").iterdir())
    assert pictures == ["lamp-2.png", "lamp.png"]


def test_a_clean_run_removes_the_failures_of_an_earlier_one(
    tmp_path: Path, inputs: list[Path]
) -> None:
    run(inputs, tmp_path / "out")
    run(inputs[:1], tmp_path / "out")
    assert not (tmp_path / "out" / "failures.jsonl").exists()


def test_without_formats_nothing_is_written(tmp_path: Path, inputs: list[Path]) -> None:
    run(inputs[:1], tmp_path / "out", formats=())
    assert not (tmp_path / "out").exists()


def test_a_prompt_that_does_not_fit_an_image_fails_that_image(
    tmp_path: Path, inputs: list[Path]
) -> None:
    def ask(frame: Frame) -> list[Ask]:
        region = point_region([(3, 21)], frame.height, frame.width)
        return [Ask(0, Task.INTERACTIVE, Regions((region,)))]

    outcomes: list[Outcome] = []
    good = [inputs[0], inputs[2]]
    run_images(good, ask, BrightSegmenter(), OutputFolder(tmp_path / "out"), [], outcomes.append)
    assert [type(outcome) for outcome in outcomes] == [Failed, Answered]


def test_an_interrupted_run_keeps_what_was_done(tmp_path: Path, inputs: list[Path]) -> None:
    folder = OutputFolder(tmp_path / "out")

    def interrupt(_: Outcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sinks = open_sinks(["jsonl", "coco"], folder)
        run_images(inputs, ask_two, BrightSegmenter(), folder, sinks, interrupt)
    assert len((folder.root / "predictions.jsonl").read_text().splitlines()) == 2
    assert len(json.loads((folder.root / "coco.json").read_text())["images"]) == 1


def test_what_the_model_cannot_do_ends_the_run(tmp_path: Path, inputs: list[Path]) -> None:
    class Lost(BrightSegmenter):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            raise WeightsError(f"No weights for {len(frames)} frames.")

    with pytest.raises(WeightsError):
        run_images(inputs, ask_two, Lost(), OutputFolder(tmp_path / "out"), [], print)
