"""What parent and child say to each other: a line of JSON each way, pixels behind a frame's line.

No pickle and no shared memory: a child that was taken over by a hostile file can send wrong pixels
and nothing worse.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from vlseg_cli.media.limits import Limits
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


def read_request(line: bytes) -> tuple[Request, Limits]:
    """The request of a line."""
    said = json.loads(line)
    path, clip = Path(said["path"]), Clip(**said["clip"])
    return Request(path, said["is_video"], clip, said["skip"]), Limits(**said["limits"])


def send(pipe: BinaryIO, message: dict[str, Any]) -> None:
    """Send one line."""
    pipe.write(_line(message))
    pipe.flush()


def send_frame(pipe: BinaryIO, frame: Frame) -> None:
    """Send a frame: its line, then H * W * 3 bytes."""
    size = {"height": frame.height, "width": frame.width}
    pipe.write(_line({"index": frame.index, "time": frame.time} | size))
    pipe.write(frame.pixels.data.cast("B"))
    pipe.flush()


def receive(pipe: BinaryIO) -> dict[str, Any] | None:
    """The next line, None where the other side is gone. Raises ValueError for what is no line."""
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(line)
    return message


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"
