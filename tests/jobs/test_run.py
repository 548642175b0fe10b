"""A job runs to its end, resumes, retries and overwrites, and reports every failure."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from jobs.media_files import stamps, tree, write_film, write_photos
from jobs.stub import RecordingProgress, StubModel, run_stub

from vlseg_cli.jobs.lease import remove_staging
from vlseg_cli.schema import Frame, NotFiniteError, UsageError


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 7, broken=(3,))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", 21)


def _records(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]


def test_records_are_in_order_and_failures_are_listed(photos: Path, tmp_path: Path) -> None:
    progress = RecordingProgress()
    summary = run_stub(tmp_path / "out", [photos], progress=progress, texts=("a", "b"))
    assert summary.exit_code == 3
    assert summary.finished
    inputs = [Path(str(record["input"])).name for record in _records(tmp_path / "out")]
    assert inputs == [f"{n:03d}.png" for n in range(7) if n != 3 for _ in "ab"]
    failures = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["input"]).name for line in failures] == ["003.png"]
    assert [source for source, error in progress.done if error] == list(summary.failed)
    assert len(progress.done) == progress.total == 7
    assert not (tmp_path / "out" / ".vlseg").exists()


def test_many_prompts_share_one_encoding(photos: Path, tmp_path: Path) -> None:
    model = StubModel()
    run_stub(tmp_path / "out", [photos], model=model, texts=[str(n) for n in range(9)])
    assert sum(model.batches) == 6


def test_a_finished_job_reads_no_input_and_changes_nothing(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_stub(out, [photos])
    before = stamps(out)
    model = StubModel()
    second = run_stub(out, [photos], model=model)
    assert model.batches == []
    assert stamps(out) == before
    assert second.exit_code == first.exit_code == 3
    assert len(second.before) == 7


def test_another_prompt_is_refused_without_overwrite(photos: Path, tmp_path: Path) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    run_stub(out, [photos])
    before = tree(out)
    with pytest.raises(UsageError, match="holds another job"):
        run_stub(out, [photos], texts=("another",))
    with pytest.raises(UsageError, match="--batch-size"):
        run_stub(out, [photos], batch_size=3)
    assert tree(out) == before
    run_stub(out, [photos], texts=("another",), overwrite=True)
    run_stub(fresh, [photos], texts=("another",))
    assert tree(out) == tree(fresh)


def test_overwriting_removes_only_what_the_job_wrote(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_stub(out, [photos])
    (out / "notes.txt").write_text("mine")
    run_stub(out, [photos / "000.png"], texts=("another",), overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert [path.name for path in (out / "overlay").iterdir()] == ["000.png"]


def test_new_inputs_are_added_and_only_they_are_processed(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 3)
    out = tmp_path / "out"
    run_stub(out, [photos])
    write_photos(tmp_path / "more", 5)
    for number in (3, 4):
        (tmp_path / "more" / f"{number:03d}.png").rename(photos / f"{number:03d}.png")
    model = StubModel()
    summary = run_stub(out, [photos], model=model)
    assert sum(model.batches) == 2
    assert len(summary.before) == 3
    assert len(_records(out)) == 5
    assert len(json.loads((out / "coco.json").read_text())["images"]) == 5


def test_a_changed_input_is_processed_again(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 3)
    out = tmp_path / "out"
    run_stub(out, [photos])
    other = write_photos(tmp_path / "other", 6) / "005.png"
    other.replace(photos / "001.png")
    model = StubModel()
    run_stub(out, [photos], model=model)
    run_stub(tmp_path / "fresh", [photos])
    assert sum(model.batches) == 1
    assert (out / "records.jsonl").read_bytes() == (tmp_path / "fresh/records.jsonl").read_bytes()


def test_failures_are_kept_until_retried(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 4, broken=(2,))
    out = tmp_path / "out"
    whole = (write_photos(tmp_path / "whole", 4) / "002.png").read_bytes()
    run_stub(out, [photos])
    status = (photos / "002.png").stat()
    again = run_stub(out, [photos], retry_failed=True)
    assert list(again.failed)
    (photos / "002.png").write_bytes(whole)
    os.utime(photos / "002.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    repaired = run_stub(out, [photos], retry_failed=True)
    assert repaired.exit_code == 0
    assert not (out / "failures.jsonl").exists()
    assert len(_records(out)) == 4


def test_a_video_is_processed_frame_by_frame(film: Path, tmp_path: Path) -> None:
    progress = RecordingProgress()
    summary = run_stub(tmp_path / "out", [film], formats=("video", "coco"), progress=progress)
    assert summary.exit_code == 0
    assert [record["frame"] for record in _records(tmp_path / "out")] == list(range(21))
    assert progress.frame_count == 21
    assert [path.name for path in (tmp_path / "out" / "video").iterdir()] == ["film.mp4"]


def test_frames_of_a_video_are_drawn_once(film: Path, tmp_path: Path) -> None:
    run_stub(tmp_path / "both", [film], formats=("overlay", "video"))
    run_stub(tmp_path / "overlay", [film], formats=("overlay",))
    assert not (tmp_path / "both" / "overlay").exists()
    assert (tmp_path / "both" / "video" / "film.mp4").exists()
    assert len(list((tmp_path / "overlay" / "overlay" / "film").iterdir())) == 21


def test_a_broken_video_keeps_its_readable_frames(film: Path, tmp_path: Path) -> None:
    import av

    cut = tmp_path / "cut.mkv"
    with av.open(str(film)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(cut.read_bytes()[: int(cut.stat().st_size * 0.85)])
    summary = run_stub(tmp_path / "out", [cut], formats=("video",))
    assert summary.exit_code == 3
    assert 0 < len(_records(tmp_path / "out")) < 21
    assert (tmp_path / "out" / "video" / "cut.mp4").exists()


def test_a_frame_without_finite_numbers_is_an_error_and_no_empty_mask(
    photos: Path, tmp_path: Path
) -> None:
    class Poisoned(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if any(frame.source.endswith("005.png") for frame in frames):
                raise NotFiniteError(f"{photos}/005.png: the model's numbers are not finite.")
            return super().encode(frames)

    summary = run_stub(tmp_path / "out", [photos], model=Poisoned())
    assert sorted(Path(source).name for source in summary.failed) == ["003.png", "005.png"]
    assert not any(str(r["input"]).endswith("005.png") for r in _records(tmp_path / "out"))


def test_running_out_of_memory_has_its_exit_code(photos: Path, tmp_path: Path) -> None:
    class Starved(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if any(frame.source.endswith("005.png") for frame in frames):
                raise MemoryError
            return super().encode(frames)

    summary = run_stub(tmp_path / "out", [photos], model=Starved())
    assert summary.exit_code == 6
    assert len(_records(tmp_path / "out")) == 5


def test_fail_fast_stops_at_the_first_failure(photos: Path, tmp_path: Path) -> None:
    summary = run_stub(tmp_path / "out", [photos], fail_fast=True, batch_size=1)
    assert summary.exit_code == 3
    assert not summary.finished
    assert run_stub(tmp_path / "out", [photos], batch_size=1).finished


def test_nothing_is_kept_without_a_format(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    progress = RecordingProgress()
    summary = run_stub(Path("out"), [photos], formats=(), progress=progress)
    assert summary.exit_code == 3
    assert len(progress.stored) == 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_batch_finish_and_the_job_resume(
    number: int, photos: Path, tmp_path: Path
) -> None:
    class Interrupted(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if len(self.batches) == 1:
                os.kill(os.getpid(), number)
            return super().encode(frames)

    out = tmp_path / "out"
    progress = RecordingProgress()
    summary = run_stub(out, [photos], model=Interrupted(), progress=progress)
    assert summary.exit_code == 128 + number
    assert any("resumes" in note for note in progress.notes)
    model = StubModel()
    resumed = run_stub(out, [photos], model=model)
    assert len(resumed.before) == 4  # both batches in hand were kept
    assert sum(model.batches) == 3
    run_stub(tmp_path / "fresh", [photos])
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_second_process_waits_for_the_units_of_the_first(photos: Path, tmp_path: Path) -> None:
    started = threading.Event()

    class Slow(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            started.set()
            return super().encode(frames)

    slow, quick = Slow(0.3), StubModel()
    first = threading.Thread(
        target=run_stub, args=(tmp_path / "out", [photos]), kwargs={"model": slow}
    )
    first.start()
    started.wait()
    summary = run_stub(tmp_path / "out", [photos], model=quick)
    first.join()
    assert summary.finished
    assert sum(slow.batches) + sum(quick.batches) == 6
    assert slow.batches
    run_stub(tmp_path / "fresh", [photos])
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_a_format_that_cannot_hold_the_results_does_not_stop_the_others(
    photos: Path, tmp_path: Path
) -> None:
    out, texts = tmp_path / "out", [f"part {number}" for number in range(257)]
    formats, progress = ("palette", "jsonl"), RecordingProgress()
    first = run_stub(out, [photos / "000.png"], texts=texts, formats=formats, progress=progress)
    assert first.finished and first.exit_code == 3
    assert any("255" in note and "palette" in note for note in progress.notes)
    assert (out / "predictions.jsonl").exists() and not (out / "palette").exists()
    before, model = stamps(out), StubModel()
    again = run_stub(out, [photos / "000.png"], texts=texts, formats=formats, model=model)
    assert (again.exit_code, model.batches, stamps(out)) == (3, [], before)


def test_a_process_that_was_taken_over_says_so_and_goes_on_with_what_is_left(
    photos: Path, tmp_path: Path
) -> None:
    out, progress = tmp_path / "out", RecordingProgress()

    class Fenced(StubModel):
        def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
            if len(self.batches) == 1:
                for staging in (out / ".vlseg" / "work").iterdir():
                    remove_staging(staging)
            return super().encode(frames)

    summary = run_stub(out, [photos], model=Fenced(), overwrite=True, progress=progress)
    assert summary.finished
    assert ["taken over" in note for note in progress.notes] == [True]
    run_stub(tmp_path / "fresh", [photos])
    assert tree(out) == tree(tmp_path / "fresh")
