"""Frames by number are the frames that streaming gives, whoever decodes them."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media.films import KINDS, number_of, picture, write_film

from vlseg_cli.media.random_access import sample_frames
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange, InputError

WANTED = [50, 3, 17, 3, 59, 0, *range(20, 40)]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_sampling_agrees_with_streaming(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = write_film(tmp_path / f"film.{kind.suffix}", 60, kind)
    frames = list(read_video(path, FrameRange()))
    sampled = sample_frames(path, WANTED)
    assert [number_of(frame.pixels) for frame in sampled] == WANTED
    for frame, index in zip(sampled, WANTED, strict=True):
        assert (frame.index, frame.time) == (index, frames[index].time)
        assert np.abs(frame.pixels.astype(int) - frames[index].pixels).mean() < 1.5


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_orientation_and_uneven_times_agree(turn: int, tmp_path: Path) -> None:
    pts = [100 + 40 * n + 13 * (n % 2) for n in range(30)]
    pictures = [picture(n, 64, 96) for n in range(30)]
    base = Fraction(1, 1000)
    path = write_film(tmp_path / "film.mp4", pictures, pts=pts, time_base=base, turn=turn)
    frames = list(read_video(path, FrameRange()))
    for frame in sample_frames(path, [29, 11, 4]):
        assert number_of(frame.pixels) == frame.index
        assert frame.pixels.shape == frames[0].pixels.shape
        assert frame.time == frames[frame.index].time


def test_decord_is_used_where_it_serves_and_not_missed_where_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import decord

    opened: list[str] = []

    class Watched(decord.VideoReader):  # type: ignore[misc]
        def __init__(self, path: str, *words: object, **options: object) -> None:
            opened.append(path)
            super().__init__(path, *words, **options)

    monkeypatch.setattr(decord, "VideoReader", Watched)
    served = [write_film(tmp_path / "film.mkv", 40), write_film(tmp_path / "film.mp4", 40)]
    others = [
        write_film(tmp_path / f"{name}.{KINDS[name].suffix}", 40, KINDS[name])
        for name in ("av1", "gif")
    ]
    for path in served + others:
        assert number_of(sample_frames(path, [33])[0].pixels) == 33
    assert opened == [str(path) for path in served]
    monkeypatch.setitem(sys.modules, "decord", None)
    assert number_of(sample_frames(served[0], [33])[0].pixels) == 33
    assert len(opened) == 2


@pytest.mark.parametrize("index", [-1, 10, 10**9])
def test_a_frame_that_is_not_there_is_an_input_error(index: int, tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", 10)
    with pytest.raises(InputError, match=f"has no frame {index}"):
        sample_frames(path, [2, index])
    assert sample_frames(path, []) == []
