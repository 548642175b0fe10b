"""Memory that the decoder and its parent share: pixels cross in it, where a pipe would copy twice.

A file without a name, cut into slots. The child fills a free one and says which; the parent copies
it out and says that it is free again. Pictures larger than a slot cross in pieces.
"""

import json
import mmap
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NamedTuple

from vlseg_cli.media.limits import Limits
from vlseg_cli.schema import Frame, FrameRange

SLOT_BYTES = 1 << 23  # a 1080p frame fits
_SLOTS = 4


class PixelSlots:
    """One side's view of the memory. ``free`` is kept by the child alone."""

    def __init__(self, file: int) -> None:
        """file: descriptor of what ``open_memory`` returned; it stays the caller's."""
        self._memory = mmap.mmap(file, _SLOTS * SLOT_BYTES)
        self.free: SimpleQueue[int] = SimpleQueue()
        for slot in range(_SLOTS):
            self.free.put(slot)

    def fill(self, data: memoryview) -> int:
        """Copy at most ``SLOT_BYTES`` into a free slot, waiting for one; returns its number."""
        slot = self.free.get()
        start = slot * SLOT_BYTES
        self._memory[start : start + len(data)] = data
        return slot

    def empty(self, slot: int, into: memoryview) -> None:
        """Copy a slot out. Raises ValueError if there is no such slot, or it is too small."""
        if not (0 <= slot < _SLOTS and 0 < len(into) <= SLOT_BYTES):
            raise ValueError(f"slot {slot} of {len(into)} bytes")
        start = slot * SLOT_BYTES
        with memoryview(self._memory) as memory:
            into[:] = memory[start : start + len(into)]

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def open_memory() -> int:
    """A descriptor of memory for the slots, to be handed to the child; pages are taken as used."""
    with suppress(AttributeError):  # Linux has memory without a file system
        file = os.memfd_create("vlseg")
        os.truncate(file, _SLOTS * SLOT_BYTES)
        return file
    with tempfile.TemporaryFile() as opened:
        file = os.dup(opened.fileno())
        os.truncate(file, _SLOTS * SLOT_BYTES)
        return file


READY = {"ready": True}
BUSY = {"busy": True}  # nothing to hand over yet, but not stuck
END = {"end": True}
LONGEST_LINE = 1 << 16  # bytes


class Request(NamedTuple):
    """One file to decode. skip: how many of the selected frames are not wanted (resume)."""

    path: Path
    is_video: bool
    clip: FrameRange = FrameRange()
    skip: int = 0


def request_line(request: Request, limits: Limits) -> bytes:
    """A request as the child reads it."""
    return _line(
        {
            "path": str(request.path),
            "is_video": request.is_video,
            "clip": asdict(request.clip),
            "skip": request.skip,
            "limits": asdict(limits),
        }
    )


def free_line(slot: int) -> bytes:
    """Word to the child that it may fill a slot again."""
    return _line({"free": slot})


def read_line(line: bytes) -> tuple[Request, Limits] | int:
    """What a line to the child says: a request, or the number of a slot that is free again."""
    said = json.loads(line)
    if "free" in said:
        return int(said["free"])
    path, clip = Path(said["path"]), FrameRange(**said["clip"])
    return Request(path, said["is_video"], clip, said["skip"]), Limits(**said["limits"])


def send(pipe: BinaryIO, message: dict[str, Any]) -> None:
    """Send one line."""
    pipe.write(_line(message))
    pipe.flush()


def send_frame(pipe: BinaryIO, frame: Frame, slots: PixelSlots) -> None:
    """Send a frame: its line, then a line for each slot that its H * W * 3 bytes fill."""
    size = {"height": frame.height, "width": frame.width}
    send(pipe, {"index": frame.index, "time": frame.time} | size)
    data = frame.pixels.data.cast("B")
    for start in range(0, len(data), SLOT_BYTES):
        send(pipe, {"slot": slots.fill(data[start : start + SLOT_BYTES])})


def receive(pipe: BinaryIO) -> dict[str, Any] | None:
    """The next line, None where the other side is gone. Raises ValueError for what is no line."""
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(line)
    return message


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"
