"""Messages between decoder and parent survive the round trip exactly."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.media.limits import Limits
from vlseg_cli.media.protocol import (
    END,
    SLOT_BYTES,
    PixelSlots,
    Request,
    free_line,
    open_memory,
    read_line,
    receive,
    request_line,
    send,
    send_frame,
)
from vlseg_cli.schema import Frame, FrameRange

SECONDS = st.none() | st.floats(0, 1e6)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(min_size=1), st.booleans(), st.integers(1), SECONDS, SECONDS, st.integers(0))
def test_requests_are_one_line_and_survive_the_round_trip(
    name: str, is_video: bool, stride: int, start: float | None, end: float | None, skip: int
) -> None:
    request = Request(Path(name), is_video, FrameRange(stride, start, end, skip or None), skip)
    line = request_line(request, Limits(side=7))
    assert line.count(b"\n") == 1
    assert read_line(line) == (request, Limits(side=7))


def test_a_request_for_a_mask_survives_the_round_trip() -> None:
    request = Request(Path("mask.png"), is_video=False, mask_size=(480, 640))
    assert read_line(request_line(request, Limits())) == (request, Limits())


@pytest.fixture
def slots() -> Iterator[PixelSlots]:
    memory = open_memory()
    slots = PixelSlots(memory)
    os.close(memory)
    yield slots
    slots.close()


# Smaller than a slot, of exactly one, and of more than two.
@pytest.mark.parametrize(("height", "width"), [(3, 5), (1024, 2731), (1, SLOT_BYTES)])
def test_frames_survive_the_round_trip_and_consume_only_their_bytes(
    slots: PixelSlots, height: int, width: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    pipe = io.BytesIO()
    send_frame(pipe, Frame(pixels, "film.mp4", 3, 0.1 + 0.2), slots)
    send(pipe, END)
    pipe.seek(0)
    assert receive(pipe) == {"index": 3, "time": 0.1 + 0.2, "shape": [height, width, 3]}
    found = np.empty_like(pixels)
    data = found.data.cast("B")
    for start in range(0, len(data), SLOT_BYTES):
        message = receive(pipe)
        assert message is not None
        slots.empty(message["slot"], data[start : start + SLOT_BYTES])
        assert read_line(free_line(message["slot"])) == message["slot"]
    assert (found == pixels).all()
    assert receive(pipe) == END
    assert receive(pipe) is None


@pytest.mark.parametrize(("slot", "size"), [(-1, 8), (4, 8), (0, 0), (3, SLOT_BYTES + 1)])
def test_an_invalid_slot_is_rejected(slots: PixelSlots, slot: int, size: int) -> None:
    with pytest.raises(ValueError, match="slot"):
        slots.empty(slot, memoryview(bytearray(size)))


def test_an_incomplete_line_is_the_end_of_the_stream() -> None:
    assert receive(io.BytesIO(b'{"end": tr')) is None
    assert receive(io.BytesIO(b"x" * 100_000)) is None
