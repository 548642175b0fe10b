"""Frames decoded in a child process, so that no file can crash or hang the job.

The child prefetches while models run; a queue bounded in bytes keeps memory constant.
"""

import atexit
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.decoder_process import DecoderEndedError, DecoderProcess
from vlseg_cli.media.formats import is_video
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits
from vlseg_cli.media.protocol import Request
from vlseg_cli.schema import Frame, FrameRange, InputError

Key = TypeVar("Key")

_FILES_AHEAD = 8


class Decoder:
    """Decodes images and videos in a child process; use it in a ``with`` statement.

    The child starts immediately and imports its libraries meanwhile. One ``read`` at a time, in one
    thread: a new one ends the one before.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        timeout: float = 30.0,
        files_ahead: int = _FILES_AHEAD,
    ) -> None:
        """timeout: seconds without a message, while waited for, after which the child is killed.

        files_ahead: number of images requested before the first of them is taken.
        """
        self._limits, self._timeout, self._files_ahead = limits, timeout, files_ahead
        self._process = DecoderProcess(limits, timeout)
        self._waiting: deque[Request] = deque()  # sent to the child, and not yet taken in full
        self._taken = 0  # files so far

    @property
    def pid(self) -> int:
        """Id of the child process; it changes when the child is restarted."""
        return self._process.pid

    def frames(self, path: Path, clip: FrameRange, skip: int = 0) -> Iterator[Frame]:
        """The frames of one image or video; raises InputError where damage begins."""
        for _, frames in self.read([(path, Request(path, is_video(path), clip, skip))]):
            yield from frames

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """Each request's key and frames, in order; the next files are decoded meanwhile.

        Frames that are not taken before the next pair are dropped. Taking a frame raises InputError
        where the file is damaged; the other files follow. ``requests`` is consumed a few images
        ahead, and past a video only when that is decoded.
        """
        if self._waiting:  # of a read that was not finished
            self._waiting.clear()
            self._restart()
        source, keys = iter(requests), deque[Key]()
        while self._ask(source, keys):
            number = self._taken
            yield keys.popleft(), self._take(number, source, keys)
            if self._taken == number:
                self._drop()

    def mask(self, path: Path, height: int, width: int) -> NDArray[np.bool_]:
        """A mask (H, W) for an image of this size; raises as ``image.read_mask``."""
        request = Request(path, is_video=False, mask_size=(height, width))
        (frame,) = (frame for _, frames in self.read([(path, request)]) for frame in frames)
        return frame.pixels[..., 0].view(np.bool_)

    def close(self) -> None:
        """End the child."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, source: Iterator[tuple[Key, Request]], keys: deque[Key]) -> bool:
        """Send further requests; False if there is nothing more to decode or to take."""
        while len(self._waiting) < self._files_ahead:
            if not self._process.idle and any(request.is_video for request in self._waiting):
                break
            pair = next(source, None)
            if pair is None:
                break
            keys.append(pair[0])
            self._waiting.append(pair[1])
            self._process.ask(pair[1])
        return bool(self._waiting)

    def _take(
        self, number: int, source: Iterator[tuple[Key, Request]], keys: deque[Key]
    ) -> Iterator[Frame]:
        """The frames of file ``number``; none once the next file has started."""
        while self._taken == number and (frame := self._next()) is not None:
            yield frame
            self._ask(source, keys)

    def _next(self) -> Frame | None:
        """The next frame of the first waiting file, None at its end, which completes the file."""
        path = self._waiting[0].path
        try:
            result = self._process.take()
        except DecoderEndedError as ended:
            self._end_file()
            self._restart()
            raise InputError(f"{path} cannot be decoded: the decoder {ended}.") from None
        if isinstance(result, Frame):
            return result
        self._end_file()
        if result is not None:
            raise InputError(result)
        return None

    def _drop(self) -> None:
        """Drop the remaining frames of a file; a video still being decoded needs a new child."""
        if self._waiting[0].is_video and not self._process.idle:
            self._end_file()
            self._restart()
            return
        number = self._taken
        with suppress(InputError):  # errors in frames that are dropped do not matter
            while self._taken == number:
                self._next()

    def _end_file(self) -> None:
        self._waiting.popleft()
        self._taken += 1

    def _restart(self) -> None:
        """Start a new child for the waiting requests."""
        self._process.kill()
        self._process = DecoderProcess(self._limits, self._timeout)
        for request in self._waiting:
            self._process.ask(request)


@cache
def _mask_decoder() -> Decoder:
    decoder = Decoder()
    atexit.register(decoder.close)
    return decoder


_one_mask_at_a_time = Lock()


def read_mask(path: Path, height: int, width: int) -> NDArray[np.bool_]:
    """``image.read_mask`` in a child process, which the first call starts and later ones use."""
    with _one_mask_at_a_time:  # the child stays in the folder in which it was started
        return _mask_decoder().mask(path.absolute(), height, width)
