"""Random access returns the frames that sequential reading returns, with either decoder."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media.video_files import KINDS, number_of, numbered_image, write_numbered_video

from vlseg_cli.media.random_access import sample_frames
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange, InputError

WANTED = [50, 3, 17, 3, 59, 0, *range(20, 40)]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_random_access_equals_sequential_reading(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = write_numbered_video(tmp_path / f"film.{kind.suffix}", 60, kind)
    frames = list(read_video(path, FrameRange()))
    sampled = sample_frames(path, WANTED)
    assert [number_of(frame.pixels) for frame in sampled] == WANTED
    for frame, index in zip(sampled, WANTED, strict=True):
        assert (frame.index, frame.time) == (index, frames[index].time)
        assert np.abs(frame.pixels.astype(int) - frames[index].pixels).mean() < 1.5


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation_and_uneven_timestamps_agree(turn: int, tmp_path: Path) -> None:
    pts = [100 + 40 * n + 13 * (n % 2) for n in range(30)]
    images = [numbered_image(n, 64, 96) for n in range(30)]
    base = Fraction(1, 1000)
    path = write_numbered_video(tmp_path / "film.mp4", images, pts=pts, time_base=base, turn=turn)
    frames = list(read_video(path, FrameRange()))
    for frame in sample_frames(path, [29, 11, 4]):
        assert number_of(frame.pixels) == frame.index
        assert frame.pixels.shape == frames[0].pixels.shape
        assert frame.time == frames[frame.index].time


def test_decord_is_used_where_it_decodes_and_is_optional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import decord

    opened: list[str] = []

    class RecordingReader(decord.VideoReader):  # type: ignore[misc]
        def __init__(self, path: str, *words: object, **options: object) -> None:
            opened.append(path)
            super().__init__(path, *words, **options)

    monkeypatch.setattr(decord, "VideoReader", RecordingReader)
    served = [
        write_numbered_video(tmp_path / "film.mkv", 40),
        write_numbered_video(tmp_path / "film.mp4", 40),
    ]
    others = [
        write_numbered_video(tmp_path / f"{name}.{KINDS[name].suffix}", 40, KINDS[name])
        for name in ("av1", "gif")
    ]
    for path in served + others:
        assert number_of(sample_frames(path, [33])[0].pixels) == 33
    assert opened == [str(path) for path in served]
    monkeypatch.setitem(sys.modules, "decord", None)
    assert number_of(sample_frames(served[0], [33])[0].pixels) == 33
    assert len(opened) == 2


@pytest.mark.parametrize("index", [-1, 10, 10**9])
def test_a_frame_index_out_of_range_is_an_input_error(index: int, tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 10)
    with pytest.raises(InputError, match=f"has no frame {index}"):
        sample_frames(path, [2, index])
    assert sample_frames(path, []) == []
