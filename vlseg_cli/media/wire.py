"""What parent and child say to each other: lines of JSON, and pixels in shared slots.

No pickle, and the parent copies pixels before it looks at them: a child that was taken over by a
hostile file can send wrong pixels and nothing worse.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from vlseg_cli.media.limits import Limits
from vlseg_cli.media.pixel_slots import SLOT_BYTES, PixelSlots
from vlseg_cli.schema import Clip, Frame

READY = {"ready": True}
BUSY = {"busy": True}  # nothing to hand over yet, but not stuck
END = {"end": True}
LONGEST_LINE = 1 << 16  # bytes


class Request(NamedTuple):
    """One file to decode. skip: how many of the selected frames are not wanted (resume)."""

    path: Path
    is_video: bool
    clip: Clip = Clip()
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
    path, clip = Path(said["path"]), Clip(**said["clip"])
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
