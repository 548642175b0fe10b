"""A tracked video: each frame once and in order, also when its run is killed and resumed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jobs.media_files import tree, write_film, write_photos
from jobs.stub import StubModel, run_stub

from vlseg_cli.jobs.inference import BatchInference
from vlseg_cli.jobs.job import read_state, records_path, state_path
from vlseg_cli.jobs.tracking import TrackingInference
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import (
    Expression,
    Frame,
    FrameRange,
    InputError,
    Item,
    NotFiniteError,
    PromptRequest,
    Regions,
    Task,
    TooLargeError,
    UsageError,
)
from vlseg_cli.schema.region import box_region

FORMATS = ("video", "palette", "ytvis", "coco")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", 21)


class Dying(StubModel):
    """Its process is killed after that many frames."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(frames)


def records(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("steps", [0, 3, 8, 12, 16, 20])
def test_a_killed_run_is_resumed_to_the_same_bytes(steps: int, film: Path, tmp_path: Path) -> None:
    run_stub(tmp_path / "whole", [film], formats=FORMATS, tracking=True)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_stub(out, [film], model=Dying(steps), formats=FORMATS, tracking=True)
    model = StubModel()
    run_stub(out, [film], model=model, formats=FORMATS, tracking=True)
    assert sum(model.batches) == 21 - steps // 8 * 8
    assert tree(out) == tree(tmp_path / "whole")


def test_only_the_state_of_the_last_chunk_is_kept(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_stub(out, [film], model=Dying(19), tracking=True)
    assert not (out.joinpath(*state_path(0, 0))).exists()
    state = read_state(OutputFolder(out), 0, 1)
    assert state is not None and set(state) == {"past", "watching/first"}
    run_stub(out, [film], tracking=True)
    assert not (out / ".vlseg").exists()


@pytest.mark.parametrize("damage", ["state", "records", "segment", "removed state"])
def test_with_a_damaged_chunk_a_video_is_started_over(
    damage: str, film: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "out", StubModel()
    run_stub(tmp_path / "whole", [film], formats=("video", "ytvis"), tracking=True)
    with pytest.raises(KeyboardInterrupt):
        run_stub(out, [film], model=Dying(9), formats=("video", "ytvis"), tracking=True)
    files = {
        "state": state_path(0, 0),
        "records": records_path(0, 0),
        "segment": (".vlseg", "video", "000000-0.nut"),
        "removed state": state_path(0, 0),
    }
    path = out.joinpath(*files[damage])
    data = path.read_bytes()
    if damage == "removed state":
        path.unlink()
    else:
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    run_stub(out, [film], model=model, formats=("video", "ytvis"), tracking=True)
    assert sum(model.batches) == 21
    assert tree(out) == tree(tmp_path / "whole")


def test_only_selected_frames_are_encoded(film: Path, tmp_path: Path) -> None:
    clip = FrameRange(stride=3, start=0.1, max_frames=4)
    model = StubModel()
    run_stub(tmp_path / "out", [film], model=model, clip=clip, chunk_frames=2, tracking=True)
    assert [record["frame"] for record in records(tmp_path / "out")] == [3, 6, 9, 12]
    assert model.batches == [1] * 4


def test_images_are_errors(film: Path, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 2)
    summary = run_stub(tmp_path / "out", [photos, film], tracking=True)
    assert summary.exit_code == 3 and len(summary.failed) == 2
    assert all("is an image" in error for error, _ in summary.failed.values())
    assert len(records(tmp_path / "out")) == 21


def test_a_frame_without_finite_numbers_is_an_error_and_the_others_go_on(
    film: Path, tmp_path: Path
) -> None:
    class Poisoned(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if frames[0].index == 5:
                raise NotFiniteError("film.mp4: the model's numbers are not finite.")
            return super().encode(frames)

    summary = run_stub(tmp_path / "out", [film], model=Poisoned(), tracking=True)
    (failed,) = summary.failed.values()
    assert failed[0].startswith("frame 5:")
    assert [r["frame"] for r in records(tmp_path / "out")] == [n for n in range(21) if n != 5]


def test_a_model_without_tracking_is_refused(film: Path, tmp_path: Path) -> None:
    class Still:
        name, categories, stuff = "still", (), ()
        encode, answer = StubModel.encode, StubModel.predict

    with pytest.raises(UsageError, match="still takes images only"):
        run_stub(tmp_path / "out", [film], model=Still(), tracking=True)


ITEM = Item(0, "film.mp4", "film", is_video=True, bytes=1, modified=1)


def frame(index: int) -> Frame:
    return Frame(np.full((8, 8, 3), index, np.uint8), "film.mp4", index, index / 10)


def region_prompt() -> Regions:
    return Regions((box_region((0, 0, 4, 4), 8, 8),))


def test_a_region_frame_after_the_end_is_an_error() -> None:
    inference = TrackingInference(
        StubModel(), lambda *_: [PromptRequest(7, Task.VOS, region_prompt())]
    )
    inference.begin(0, None)
    inference.predict([(ITEM, frame(index)) for index in range(5)])
    assert "ends with frame 4, before frame 7" in str(inference.end())
    inference.predict([(ITEM, frame(7))])
    assert inference.end() is None


def test_a_prompt_that_does_not_fit_is_built_once() -> None:
    built: list[int] = []

    def build(_item: Item, one: Frame) -> list[PromptRequest]:
        built.append(one.index)
        raise UsageError("The box covers nothing.")

    inference = TrackingInference(StubModel(), build)
    inference.begin(0, None)
    results = inference.predict([(ITEM, frame(index)) for index in range(3)])
    assert [str(result) for result in results] == ["The box covers nothing."] * 3
    assert built == [0] and set(inference.state()) == {"watching/first"}


def test_the_first_frame_is_kept_over_a_resume() -> None:
    built: list[int] = []

    def build(_item: Item, one: Frame) -> list[PromptRequest]:
        built.append(one.index)
        return [PromptRequest(one.index, Task.VOS, region_prompt())]

    inference = TrackingInference(StubModel(), build)
    inference.begin(0, None)
    inference.predict([(ITEM, frame(3))])
    kept = inference.state()
    inference.begin(1, kept)
    inference.predict([(ITEM, frame(4))])
    assert built == [3, 3]


def test_a_mask_file_that_cannot_be_read_and_memory_that_runs_out() -> None:
    unreadable = [True]

    def build(_item: Item, _frame: Frame) -> list[PromptRequest]:
        if unreadable:
            unreadable.pop()
            raise InputError("mask.png cannot be opened.")
        return [PromptRequest(0, Task.REFER, region_prompt())]

    class Starved(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if frames[0].index == 1:
                raise MemoryError
            return super().encode(frames)

    inference = TrackingInference(Starved(), build)
    inference.begin(0, None)
    first, second, third = inference.predict([(ITEM, frame(index)) for index in range(3)])
    assert isinstance(first, InputError) and isinstance(second, TooLargeError)
    assert isinstance(third, list) and len(third) == 1


def test_images_among_videos_are_processed_on_their_own() -> None:
    def build(_item: Item, _frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, Task.REFER, Expression("the bright part"))]

    model = StubModel()
    image = (replace(ITEM, is_video=False), frame(0))
    (refused,) = TrackingInference(model, build).predict([image])
    assert isinstance(refused, InputError) and model.batches == []
    inference = TrackingInference(model, build, BatchInference(model, build, 2, print))
    assert all(isinstance(one, list) for one in inference.predict([image, image]))
    assert model.batches == [2]


def test_other_errors_are_not_swallowed() -> None:
    class Broken(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            raise ValueError

    inference = TrackingInference(
        Broken(), lambda *_: [PromptRequest(0, Task.VOS, region_prompt())]
    )
    inference.begin(0, None)
    with pytest.raises(ValueError):
        inference.predict([(ITEM, frame(0))])
