"""The decoder process: requests arrive by stdin, a line each; messages leave by stdout.

It may crash or hang on a damaged file; its parent then starts another one.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

import numpy as np

from vlseg_cli.media.image import read_image, read_mask
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
    """Decode requests until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when a job ends
    requests: SimpleQueue[tuple[Request, Limits]] = SimpleQueue()
    pipe, slots = _own_stdout(), PixelSlots(int(sys.argv[1]))
    Thread(target=_read_requests, args=(requests, slots), daemon=True).start()
    send(pipe, READY)
    while True:
        _decode(*requests.get(), pipe, slots)


def _read_requests(requests: SimpleQueue[tuple[Request, Limits]], slots: PixelSlots) -> None:
    """Read the parent's lines; exit when they end, even if decoding hangs."""
    try:
        for line in sys.stdin.buffer:
            message = read_line(line)
            if isinstance(message, int):
                slots.free.put(message)
            else:
                requests.put(message)
    finally:
        os._exit(0)


def _decode(request: Request, limits: Limits, pipe: BinaryIO, slots: PixelSlots) -> None:
    """Send the frames of a file, then its end or the reason of its failure."""
    _limit_memory(limits.memory_bytes)
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


def _limit_memory(most: int) -> None:
    """Let allocations beyond ``most`` bytes fail, where the system can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
        most = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hardest))


def _frames(request: Request, limits: Limits, pipe: BinaryIO) -> Iterator[Frame]:
    if request.mask_size is not None:
        mask = read_mask(request.path, *request.mask_size, limits)
        return iter([Frame(mask[..., None].view(np.uint8), str(request.path))])
    if not request.is_video:
        return iter([read_image(request.path, limits)])
    from vlseg_cli.media.video import read_video

    return read_video(request.path, request.clip, request.skip, limits, _Heartbeat(pipe).beat)


class _Heartbeat:
    """Tells the parent every second that frames are decoded, also when none is selected."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._last = pipe, time.monotonic()

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._last >= _BEAT_SECONDS:
            self._last = now
            send(self._pipe, BUSY)


def _own_stdout() -> BinaryIO:
    """The pipe to the parent; stdout and stderr of libraries are redirected to the null device."""
    nowhere = os.open(os.devnull, os.O_WRONLY)  # first: it takes 2 if the parent has no stderr
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return pipe


if __name__ == "__main__":
    main()
