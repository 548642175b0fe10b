"""Seeking returns exactly the frames that reading from the start returns."""

from pathlib import Path

import pytest
from media.video_files import H264, HEVC, KINDS, Kind, number_of, write_numbered_video

from vlseg_cli.media.container import open_video
from vlseg_cli.media.limits import DEFAULT_LIMITS
from vlseg_cli.media.seek import (
    SeekPoint,
    UncertainSeekError,
    find_seek_point,
    frames_from_seek_point,
)
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange

COUNT = 420
GROUP = {"g": "50", "keyint_min": "50"}


def x264(suffix: str, extra: str = "") -> Kind:
    options = {**H264, **GROUP, "x264-params": f"log-level=0{extra}"}
    return Kind(suffix, "libx264", options=options)


def x265(extra: str = "") -> Kind:
    group = ":keyint=50:min-keyint=50"
    return Kind(
        "mp4", "libx265", options={**HEVC, "x265-params": HEVC["x265-params"] + group + extra}
    )


CERTAIN = {
    "mp4": x264("mp4"),
    "mkv": x264("mkv"),
    "hevc": x265(":open-gop=0"),
    "hevc, frames before keys": x265(),
    "vp9": Kind("webm", "libvpx-vp9", options={**KINDS["vp9"].options, **GROUP}),
    "av1": Kind("mp4", "libsvtav1", options={**KINDS["av1"].options, "g": "50"}),
}
DOUBTFUL = {
    "frames before keys": x264("mp4", ":open-gop=1"),
    "keys that recover": x264("mkv", ":intra-refresh=1"),
    "fields": x264("mp4", ":interlaced=1"),
    "avi": KINDS["mpeg4"],
    "broadcast": KINDS["broadcast"],
}


@pytest.mark.parametrize("name", [*CERTAIN, *DOUBTFUL])
def test_frames_are_equal_with_and_without_seeking(name: str, tmp_path: Path) -> None:
    kind = (CERTAIN | DOUBTFUL)[name]
    path = write_numbered_video(tmp_path / f"film.{kind.suffix}", COUNT, kind)
    frames = list(read_video(path, FrameRange()))
    passed: list[None] = []
    jump = find_seek_point(path, FrameRange(), 380, DEFAULT_LIMITS, lambda: passed.append(None))
    assert (jump is not None) == (name in CERTAIN)
    if jump:
        assert len(passed) > 300
        assert jump.number > 250
    for clip, skip in (
        (FrameRange(), 380),
        (FrameRange(stride=9), 40),
        (FrameRange(start=12.01), 30),
        (FrameRange(start=12.6, stride=4, max_frames=20), 0),
        (FrameRange(start=1, end=15), 330),
        (FrameRange(max_frames=300), 290),
        (FrameRange(), 500),
    ):
        inside = [f for f in frames if f.time >= (clip.start or 0) and f.time < (clip.end or 99)]
        expected = inside[:: clip.stride][: clip.max_frames][skip:]
        found = list(read_video(path, clip, skip))
        assert [frame.index for frame in found] == [frame.index for frame in expected]
        assert [number_of(frame.pixels) for frame in found] == [frame.index for frame in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.time == other.time
            assert (one.pixels == other.pixels).all()


def test_frames_near_the_start_are_read_without_seeking(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 300, CERTAIN["mp4"])
    for clip, skip in ((FrameRange(), 249), (FrameRange(start=4.9), 0), (FrameRange(start=5.1), 0)):
        assert find_seek_point(path, clip, skip, DEFAULT_LIMITS, lambda: None) is None


def test_an_inexact_seek_is_detected(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 300, CERTAIN["mp4"])
    jump = find_seek_point(path, FrameRange(), 290, DEFAULT_LIMITS, lambda: None)
    assert jump is not None
    wrong = SeekPoint(jump.number, jump.target, jump.first, 0, (jump.times[0] + 1, *jump.times[1:]))
    with open_video(path, DEFAULT_LIMITS) as (container, stream), pytest.raises(UncertainSeekError):
        next(frames_from_seek_point(path, container, stream, wrong))
