"""Encoded segments are deterministic with every encoder of the machine."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outputs.video_files import VideoSpec, write_video

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs import encoder
from vlseg_cli.outputs.encoder import StreamTiming, read_timing
from vlseg_cli.schema import FrameRange, InputError, UsageError

CLOCK = StreamTiming(4500, Fraction(1, 90000), Fraction(30), 45, 61)
TICKS = [0, 3000, 3001, 9000, 90000]


@pytest.fixture(autouse=True)
def _reset_encoder_choice() -> Iterator[None]:
    encoder.encoder_options.cache_clear()
    yield
    encoder.encoder_options.cache_clear()


def segment() -> bytes:
    """A few frames, encoded."""
    file = io.BytesIO()
    made = encoder.SegmentEncoder(file, CLOCK)
    for number, ticks in enumerate(TICKS):
        pixels = np.full((45, 61, 3), 40, np.uint8)
        pixels[:, 5 * number : 5 * number + 9] = 200
        made.add(pixels, ticks / 90000)
    made.finish()
    return file.getvalue()


@pytest.mark.parametrize("name", encoder._ENCODERS)
def test_every_encoder_keeps_times_and_is_deterministic(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "_ENCODERS", {name: encoder._ENCODERS[name]})
    data = segment()
    assert all(segment() == data for _ in range(3))
    with av.open(io.BytesIO(data)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert times == [Fraction(4500 + ticks, 90000) for ticks in TICKS]


def test_an_unavailable_encoder_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    known = encoder._ENCODERS["libvpx-vp9"]
    monkeypatch.setattr(encoder, "_ENCODERS", {"h264_none": {}, "libvpx-vp9": known})
    assert encoder.encoder_options() == ("libvpx-vp9", known)


def test_without_any_encoder_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_ENCODERS", {"h264_none": {}})
    with pytest.raises(UsageError, match="h264_none"):
        encoder.encoder_options()


BASES = [Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 10**6)]


@given(st.sampled_from(BASES), st.integers(0, 10**6), st.integers(0, 36000))
def test_ticks_are_exact_for_ten_hours(base: Fraction, first: int, seconds: int) -> None:
    ticks = int(seconds / base)
    assert StreamTiming(first, base, Fraction(25), 1, 1).ticks(float(ticks * base)) == first + ticks


def test_ticks_equal_those_of_the_source(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mkv", VideoSpec(start=Fraction(5003, 1000)))
    clock = read_timing(str(path))
    with av.open(str(path)) as container:
        ticks = [frame.pts for frame in container.decode(video=0)]
    assert [clock.ticks(frame.time or 0) for frame in read_video(path, FrameRange())] == ticks
    assert (clock.first, clock.height, clock.width) == (5003, 45, 61)


def test_a_missing_source_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_timing(str(tmp_path / "gone.mp4"))
