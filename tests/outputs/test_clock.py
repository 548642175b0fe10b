"""A clock tells the very ticks of the source."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outputs.film import Film, write_film

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs.clock import Clock, read_clock
from vlseg_cli.schema import Clip, InputError

BASES = [Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 10**6)]


@given(st.sampled_from(BASES), st.integers(0, 10**6), st.integers(0, 36000))
def test_ticks_are_exact_for_ten_hours(base: Fraction, first: int, seconds: int) -> None:
    ticks = int(seconds / base)
    assert Clock(first, base, Fraction(25), 1, 1).ticks(float(ticks * base)) == first + ticks


def test_ticks_are_those_of_the_source(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", Film(start=Fraction(5003, 1000)))
    clock = read_clock(str(film))
    with av.open(str(film)) as container:
        ticks = [frame.pts for frame in container.decode(video=0)]
    assert [clock.ticks(frame.time or 0) for frame in read_video(film, Clip())] == ticks
    assert (clock.first, clock.height, clock.width) == (5003, 45, 61)


def test_a_source_that_is_gone_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_clock(str(tmp_path / "gone.mp4"))
