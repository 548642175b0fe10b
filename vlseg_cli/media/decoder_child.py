"""The decoder process: files come in by stdin, a line each, and word of frames goes out by stdout.

It may crash or hang on a damaged file; its parent notices and starts another one.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

from vlseg_cli.media.image import read_image
from vlseg_cli.media.limits import Limits
from vlseg_cli.media.protocol import (
    BUSY,
    END,
    READY,
    PixelSlots,
    Request,
    read_line,
    send,
    send_frame,
)
from vlseg_cli.schema import Frame, InputError

_BEAT_SECONDS = 1.0


def main() -> None:
    """Answer asks until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when a job ends
    requests: SimpleQueue[tuple[Request, Limits]] = SimpleQueue()
    pipe, slots = _own_stdout(), PixelSlots(int(sys.argv[1]))
    Thread(target=_read_requests, args=(requests, slots), daemon=True).start()
    send(pipe, READY)
    while True:
        _decode(*requests.get(), pipe, slots)


def _read_requests(requests: SimpleQueue[tuple[Request, Limits]], slots: PixelSlots) -> None:
    """Take what the parent says as it comes; its end is the parent's end, even if we hang."""
    try:
        for line in sys.stdin.buffer:
            said = read_line(line)
            if isinstance(said, int):
                slots.free.put(said)
            else:
                requests.put(said)
    finally:
        os._exit(0)


def _decode(request: Request, limits: Limits, pipe: BinaryIO, slots: PixelSlots) -> None:
    """Send the frames of a file, then that it ends, or why it ends before its time."""
    try:
        for frame in _frames(request, limits, pipe):
            send_frame(pipe, frame, slots)
    except InputError as error:
        send(pipe, {"error": str(error)})
    except MemoryError:
        send(pipe, {"error": f"{request.path} does not fit into memory: shrink it first."})
    except Exception as error:  # a defect of ours or of a decoder: the other files go on
        kind = type(error).__name__
        send(pipe, {"error": f"{request.path} cannot be decoded ({kind}): copy it again."})
    else:
        send(pipe, END)


def _frames(request: Request, limits: Limits, pipe: BinaryIO) -> Iterator[Frame]:
    if not request.is_video:
        return iter([read_image(request.path, limits)])
    from vlseg_cli.media.video import read_video

    return read_video(request.path, request.clip, request.skip, limits, _Heartbeat(pipe).beat)


class _Heartbeat:
    """Tells the parent now and then that frames are decoded, also when none of them is wanted."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._last = pipe, time.monotonic()

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._last >= _BEAT_SECONDS:
            self._last = now
            send(self._pipe, BUSY)


def _own_stdout() -> BinaryIO:
    """Our end of the pipe; whatever a library prints goes nowhere, and not between our lines."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return pipe


if __name__ == "__main__":
    main()
