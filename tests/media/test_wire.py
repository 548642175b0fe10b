"""What one side sends is what the other reads, to the last bit of a time."""

import io
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.media.limits import Limits
from vlseg_cli.media.wire import END, Request, read_request, receive, request_line, send, send_frame
from vlseg_cli.schema import Clip, Frame

SECONDS = st.none() | st.floats(0, 1e6)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(min_size=1), st.booleans(), st.integers(1), SECONDS, SECONDS, st.integers(0))
def test_requests_are_one_line_and_come_back(
    name: str, is_video: bool, stride: int, start: float | None, end: float | None, skip: int
) -> None:
    request = Request(Path(name), is_video, Clip(stride, start, end, skip or None), skip)
    line = request_line(request, Limits(side=7))
    assert line.count(b"\n") == 1
    assert read_request(line) == (request, Limits(side=7))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(0, 1e9), st.integers(1, 9), st.integers(1, 9))
def test_frames_come_back_and_leave_the_next_line_in_place(
    time: float, height: int, width: int
) -> None:
    pixels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    pipe = io.BytesIO()
    send_frame(pipe, Frame(pixels, "film.mp4", 3, time))
    send(pipe, END)
    pipe.seek(0)
    assert receive(pipe) == {"index": 3, "time": time, "height": height, "width": width}
    assert pipe.read(pixels.nbytes) == pixels.tobytes()
    assert receive(pipe) == END
    assert receive(pipe) is None


def test_a_line_that_breaks_off_is_the_end() -> None:
    assert receive(io.BytesIO(b'{"end": tr')) is None
    assert receive(io.BytesIO(b"x" * 100_000)) is None
