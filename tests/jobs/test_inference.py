"""Each frame gets its own records, whatever happens to the others of its batch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from jobs.stub import StubModel, requests_for

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
    """Has memory for that many frames only."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        if len(frames) > self.room:
            raise MemoryError
        return super().encode(frames)


class Poisoned(StubModel):
    """Returns NaN for one frame."""

    def predict(
        self, encoded: Sequence[Frame], requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        if any(encoded[request.frame].source == "2.png" for request in requests):
            raise NotFiniteError("2.png: the model's numbers are not finite.")
        return super().predict(encoded, requests)


def _requests(*texts: str) -> Callable[[Item, Frame], list[PromptRequest]]:
    build = requests_for(*texts)
    return lambda item, frame: build(StubModel(), item, frame)


def _sources(results: Sequence[object]) -> list[str]:
    return [one.input for records in results if isinstance(records, list) for one in records]


def test_each_frame_gets_its_own_records() -> None:
    model = StubModel()
    inference = BatchInference(model, _requests("a", "b"), 2, print)
    results = inference.predict(_frames(5))
    assert _sources(results) == [f"{n}.png" for n in range(5) for _ in "ab"]
    assert model.batches == [2, 2, 1]


@pytest.mark.parametrize("room", [1, 2, 3])
def test_the_batch_is_halved_when_memory_runs_out_and_no_frame_is_lost(room: int) -> None:
    model, notes = Starved(room), []
    inference = BatchInference(model, _requests("a"), 8, notes.append)
    results = inference.predict(_frames(8))
    assert _sources(results) == [f"{n}.png" for n in range(8)]
    assert max(model.batches) <= room
    assert inference.batch_size <= room
    assert notes
    assert all("Out of memory" in note for note in notes)


def test_a_frame_that_never_fits_fails_alone() -> None:
    class Picky(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if any(frame.source == "1.png" for frame in frames):
                raise MemoryError
            return super().encode(frames)

    model = Picky()
    inference = BatchInference(
        model, lambda i, f: requests_for("a")(model, i, f), 2, lambda _: None
    )
    results = inference.predict(_frames(4))
    assert isinstance(results[1], TooLargeError)
    assert _sources(results) == ["0.png", "2.png", "3.png"]


def test_output_that_is_not_finite_is_an_error_of_that_frame() -> None:
    model = Poisoned()
    inference = BatchInference(model, _requests("a"), 4, print)
    results = inference.predict(_frames(4))
    assert isinstance(results[2], NotFiniteError)
    assert _sources(results) == ["0.png", "1.png", "3.png"]


def test_a_prompt_that_does_not_fit_a_frame_is_an_error_of_that_frame() -> None:
    model = StubModel()

    def build(item: Item, frame: Frame) -> list[PromptRequest]:
        if item.number == 1:
            raise UsageError("The point 99,99 is outside.")
        return requests_for("a")(model, item, frame)

    results = BatchInference(model, build, 3, print).predict(_frames(3))
    assert isinstance(results[1], UsageError)
    assert _sources(results) == ["0.png", "2.png"]


def test_other_errors_are_not_swallowed(tmp_path: Path) -> None:
    class Broken(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            raise RuntimeError("a defect")

    model = Broken()
    with pytest.raises(RuntimeError, match="a defect"):
        BatchInference(model, _requests("a"), 3, print).predict(_frames(3))


def test_the_batch_size_does_not_change_the_records() -> None:
    def records(batch: int) -> list[Record]:
        model = StubModel()
        inference = BatchInference(
            model, lambda i, f: requests_for("a", "b")(model, i, f), batch, print
        )
        return [r for one in inference.predict(_frames(6)) if isinstance(one, list) for r in one]

    assert records(1) == records(6)
