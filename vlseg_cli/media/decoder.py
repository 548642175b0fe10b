"""Frames from a watched child process, so that no file can crash or hang the job that reads it.

The child reads ahead while the models work; a queue bounded in bytes keeps memory constant.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from vlseg_cli.media.decoder_process import DecoderEndedError, DecoderProcess
from vlseg_cli.media.formats import is_video
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits
from vlseg_cli.media.protocol import Request
from vlseg_cli.schema import Frame, FrameRange, InputError

Key = TypeVar("Key")

_FILES_AHEAD = 8


class Decoder:
    """Decodes images and videos in a child process; use it in a ``with`` statement.

    The child starts at once and warms up while the caller does something else. One reading at a
    time, in one thread: a new one ends the one before.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        timeout: float = 30.0,
        files_ahead: int = _FILES_AHEAD,
    ) -> None:
        """timeout: seconds of silence, while waited for, after which the child is given up.

        files_ahead: how many images are asked for before the first of them is taken.
        """
        self._limits, self._timeout, self._files_ahead = limits, timeout, files_ahead
        self._process = DecoderProcess(limits, timeout)
        self._waiting: deque[Request] = deque()  # asked of the child, and not yet taken in full
        self._taken = 0  # files so far

    @property
    def pid(self) -> int:
        """Number of the child process; a fresh child has another."""
        return self._process.pid

    def frames(self, path: Path, clip: FrameRange, skip: int = 0) -> Iterator[Frame]:
        """The frames of one image or video; raises InputError where they end before their time."""
        for _, frames in self.read([(path, Request(path, is_video(path), clip, skip))]):
            yield from frames

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """For each request in order its key and its frames; the next files decode meanwhile.

        The frames of a file are to be taken before the next pair is asked for; what is left of
        them then is dropped. Taking a frame raises InputError where the file is bad, and the
        reading of the other files goes on. ``requests`` is read only a few images ahead, and past
        a video only when that is decoded.
        """
        if self._waiting:  # of a reading that was given up
            self._waiting.clear()
            self._restart()
        source, keys = iter(requests), deque[Key]()
        while self._ask(source, keys):
            number = self._taken
            yield keys.popleft(), self._take(number, source, keys)
            if self._taken == number:
                self._drop()

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
        """Keep the child busy; False if there is nothing more to decode or to take."""
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
        """The frames of file ``number``; none once the next one has its turn."""
        while self._taken == number and (frame := self._next()) is not None:
            yield frame
            self._ask(source, keys)

    def _next(self) -> Frame | None:
        """The next frame of the first file that waits, None at its end; that file is then taken."""
        path = self._waiting[0].path
        try:
            said = self._process.take()
        except DecoderEndedError as ended:
            self._end_file()
            self._restart()
            raise InputError(f"{path} cannot be decoded: the decoder {ended}.") from None
        if isinstance(said, Frame):
            return said
        self._end_file()
        if said is not None:
            raise InputError(said)
        return None

    def _drop(self) -> None:
        """Drop what is left of a file; a video that is still decoded ends with its decoder."""
        if self._waiting[0].is_video and not self._process.idle:
            self._end_file()
            self._restart()
            return
        number = self._taken
        with suppress(InputError):  # nobody asked for the rest
            while self._taken == number:
                self._next()

    def _end_file(self) -> None:
        self._waiting.popleft()
        self._taken += 1

    def _restart(self) -> None:
        """A fresh child, for all that still waits."""
        self._process.kill()
        self._process = DecoderProcess(self._limits, self._timeout)
        for request in self._waiting:
            self._process.ask(request)
