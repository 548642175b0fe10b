from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from jobs.stub import StubModel, ask_for

from vlseg_cli.jobs.inference import BatchInference
from vlseg_cli.schema import (
    Frame,
    Item,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Record,
    TooLargeError,
    UsageError,
)


def _frames(count: int) -> list[tuple[Item, Frame]]:
    pixels = np.random.default_rng(0).integers(0, 255, (count, 12, 16, 3), dtype=np.uint8)
    return [
        (Item(n, f"{n}.png", str(n), False, 1, 1), Frame(pixels[n], f"{n}.png"))
        for n in range(count)
    ]


class Starved(StubModel):
    """Has memory for so many frames only."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        if len(frames) > self.room:
            raise MemoryError
        return super().encode(frames)


class Poisoned(StubModel):
    """Answers one frame with NaN."""

    def predict(
        self, encoded: Sequence[Frame], requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        if any(encoded[ask.frame].source == "2.png" for ask in requests):
            raise NotFiniteError("2.png: the model's numbers are not finite.")
        return super().predict(encoded, requests)


def _sources(answers: Sequence[object]) -> list[str]:
    return [one.input for answer in answers if isinstance(answer, list) for one in answer]


def test_each_frame_gets_its_own_answers() -> None:
    model = StubModel()
    answering = BatchInference(model, lambda i, f: ask_for("a", "b")(model, i, f), 2, print)
    answers = answering.predict(_frames(5))
    assert _sources(answers) == [f"{n}.png" for n in range(5) for _ in "ab"]
    assert model.looks == [2, 2, 1]


@pytest.mark.parametrize("room", [1, 2, 3])
def test_without_memory_the_batch_is_halved_and_nothing_lost(room: int) -> None:
    model, notes = Starved(room), []
    answering = BatchInference(model, lambda i, f: ask_for("a")(model, i, f), 8, notes.append)
    answers = answering.predict(_frames(8))
    assert _sources(answers) == [f"{n}.png" for n in range(8)]
    assert max(model.looks) <= room
    assert answering.batch_size <= room
    assert notes
    assert all("Out of memory" in note for note in notes)


def test_a_frame_that_never_fits_is_reported_and_the_others_answered() -> None:
    class Picky(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if any(frame.source == "1.png" for frame in frames):
                raise MemoryError
            return super().encode(frames)

    model = Picky()
    answering = BatchInference(model, lambda i, f: ask_for("a")(model, i, f), 2, lambda _: None)
    answers = answering.predict(_frames(4))
    assert isinstance(answers[1], TooLargeError)
    assert _sources(answers) == ["0.png", "2.png", "3.png"]


def test_numbers_that_are_not_finite_are_an_error_of_that_frame() -> None:
    model = Poisoned()
    answering = BatchInference(model, lambda i, f: ask_for("a")(model, i, f), 4, print)
    answers = answering.predict(_frames(4))
    assert isinstance(answers[2], NotFiniteError)
    assert _sources(answers) == ["0.png", "1.png", "3.png"]


def test_a_prompt_that_does_not_fit_a_frame_is_an_error_of_that_frame() -> None:
    model = StubModel()

    def ask(item: Item, frame: Frame) -> list[PromptRequest]:
        if item.number == 1:
            raise UsageError("The point 99,99 is outside.")
        return ask_for("a")(model, item, frame)

    answers = BatchInference(model, ask, 3, print).predict(_frames(3))
    assert isinstance(answers[1], UsageError)
    assert _sources(answers) == ["0.png", "2.png"]


def test_other_errors_are_not_swallowed(tmp_path: Path) -> None:
    class Broken(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            raise RuntimeError("a defect")

    model = Broken()
    with pytest.raises(RuntimeError, match="a defect"):
        BatchInference(model, lambda i, f: ask_for("a")(model, i, f), 3, print).predict(_frames(3))


def test_one_frame_or_many_at_once_give_the_same() -> None:
    def answer(batch: int) -> list[Record]:
        model = StubModel()
        answering = BatchInference(model, lambda i, f: ask_for("a", "b")(model, i, f), batch, print)
        return [r for one in answering.predict(_frames(6)) if isinstance(one, list) for r in one]

    assert answer(1) == answer(6)
