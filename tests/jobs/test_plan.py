"""A plan extrapolates from a trial of a few inputs."""

from pathlib import Path

import pytest
from jobs.media_files import tree, write_film, write_photos
from jobs.stub import StubModel, job_for, requests_for

from vlseg_cli.jobs import JobSettings
from vlseg_cli.jobs.plan import JobPlan, plan_job, selected_frames, spread_evenly
from vlseg_cli.media import list_inputs
from vlseg_cli.media.probe import Probe
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import FrameRange

WHOLE = FrameRange()


def plan(folder: Path, clip: FrameRange = WHOLE, model: StubModel | None = None) -> JobPlan:
    settings = JobSettings(OutputFolder(folder.parent / "out" / "deeper"), ("coco",), clip)
    job = job_for(["it"], ["coco"], 1, 240, clip)
    found = list(list_inputs([str(folder)]))
    return plan_job(job, settings, found, lambda: model or StubModel(), requests_for("it"))


def test_time_and_disk_grow_with_the_inputs(tmp_path: Path) -> None:
    model = StubModel(seconds=0.01)
    small = plan(write_photos(tmp_path / "small", 4), model=model)
    assert sum(model.batches) == 4
    large = plan(write_photos(tmp_path / "large", 40), model=model)
    assert sum(model.batches) == 8  # four more, not forty
    assert (small.frames, large.frames) == (4, 40)
    assert small.seconds is not None and large.seconds is not None
    assert small.seconds >= 4 * 0.01 and large.seconds >= 40 * 0.01
    assert small.bytes is not None and large.bytes is not None and large.bytes > 5 * small.bytes
    assert not (tmp_path / "out").exists()


def test_sixteen_frames_of_a_video_are_tried(tmp_path: Path) -> None:
    write_film(tmp_path / "films" / "film.mp4", 60)
    model = StubModel()
    before = tree(tmp_path)
    planned = plan(tmp_path / "films", FrameRange(stride=2), model)
    assert (planned.images, planned.videos, planned.frames) == (0, 1, 30)
    assert sum(model.batches) == 16
    assert tree(tmp_path) == before


def test_without_readable_inputs_nothing_is_estimated(tmp_path: Path) -> None:
    planned = plan(write_photos(tmp_path / "photos", 3, broken=(0, 1, 2)))
    assert len(planned.unreadable) == 3
    assert (planned.seconds, planned.bytes) == (None, None)


@pytest.mark.parametrize(
    ("clip", "frames"),
    [
        (FrameRange(), 250),
        (FrameRange(stride=3), 84),
        (FrameRange(start=4.0), 150),
        (FrameRange(start=1.0, end=2.0), 25),
        (FrameRange(end=99.0), 250),
        (FrameRange(start=99.0), 0),
        (FrameRange(max_frames=7), 7),
        (FrameRange(stride=100, max_frames=7), 3),
    ],
)
def test_frames_selected_by_a_range(clip: FrameRange, frames: int) -> None:
    video = Probe("video", 64, 48, "h264", seconds=10.0, frames=250)
    assert selected_frames(video, clip) == frames


def test_a_video_without_a_length() -> None:
    assert selected_frames(Probe("video", 64, 48, "h264"), FrameRange()) is None


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 9, 1000])
def test_samples_are_spread_evenly(count: int) -> None:
    found = list(range(count))
    chosen = spread_evenly(found, 4)  # type: ignore[arg-type]
    assert len(chosen) == min(4, count)
    assert len(set(chosen)) == len(chosen)
    if count == 1000:
        assert chosen == [0, 250, 500, 750]
