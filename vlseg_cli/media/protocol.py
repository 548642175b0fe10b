"""Messages and shared memory of a decoder process and its parent.

Pixels cross in an anonymous file divided into slots, because a pipe would copy them twice. The
child fills a free slot and sends its number; the parent copies it out and sends that it is free.
Frames larger than a slot cross in several.
"""

import fcntl
import json
import mmap
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NamedTuple

from vlseg_cli.media.limits import Limits
from vlseg_cli.schema import Frame, FrameRange

SLOT_BYTES = 1 << 23  # a 1080p frame fits
_SLOTS = 4


class PixelSlots:
    """One process's view of the memory. ``free`` is used by the child only."""

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
        """Unmap the memory."""
        self._memory.close()


def open_memory() -> int:
    """A file descriptor of memory for the slots, for the child to inherit.

    Above 2, also if the program has no stdin or stdout: the child gets its own under these.
    """
    if hasattr(os, "memfd_create"):  # Linux has memory without a file system
        opened = os.memfd_create("vlseg")
    else:
        opened, path = tempfile.mkstemp()
        Path(path).unlink()
    os.truncate(opened, _SLOTS * SLOT_BYTES)
    file = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(opened)
    return file


READY = {"ready": True}
BUSY = {"busy": True}  # decoding, without a frame to send yet
END = {"end": True}
LONGEST_LINE = 1 << 16  # bytes


class Request(NamedTuple):
    """One file to decode.

    skip: number of selected frames to leave out (resume). mask_size: height and width of the image
    that the file is a mask for, which makes a frame of one channel, 1 inside; None: no mask.
    """

    path: Path
    is_video: bool
    clip: FrameRange = FrameRange()
    skip: int = 0
    mask_size: tuple[int, int] | None = None


def request_line(request: Request, limits: Limits) -> bytes:
    """A request as the child reads it."""
    return _line(
        {
            "path": str(request.path),
            "is_video": request.is_video,
            "clip": asdict(request.clip),
            "skip": request.skip,
            "mask_size": request.mask_size,
            "limits": asdict(limits),
        }
    )


def free_line(slot: int) -> bytes:
    """The line that tells the child that a slot is free."""
    return _line({"free": slot})


def read_line(line: bytes) -> tuple[Request, Limits] | int:
    """Parse a line to the child: a request, or the number of a slot that is free again."""
    message = json.loads(line)
    if "free" in message:
        return int(message["free"])
    path, clip = Path(message["path"]), FrameRange(**message["clip"])
    size = message["mask_size"] and tuple(message["mask_size"])
    request = Request(path, message["is_video"], clip, message["skip"], size)
    return request, Limits(**message["limits"])


def send(pipe: BinaryIO, message: dict[str, Any]) -> None:
    """Send one line."""
    pipe.write(_line(message))
    pipe.flush()


def send_frame(pipe: BinaryIO, frame: Frame, slots: PixelSlots) -> None:
    """Send a frame: its line, then a line for each slot that its bytes fill."""
    send(pipe, {"index": frame.index, "time": frame.time, "shape": frame.pixels.shape})
    data = frame.pixels.data.cast("B")
    for start in range(0, len(data), SLOT_BYTES):
        send(pipe, {"slot": slots.fill(data[start : start + SLOT_BYTES])})


def receive(pipe: BinaryIO) -> dict[str, Any] | None:
    """The next message, None at the end of the pipe. Raises ValueError if it is no JSON."""
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(line)
    return message


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"
