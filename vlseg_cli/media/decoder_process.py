"""The parent's side of a decoder process: requests out, frames into a queue bounded in bytes."""

import io
import os
import subprocess
import sys
from collections import deque
from contextlib import suppress
from signal import SIGKILL
from threading import Condition, Lock, Thread
from typing import Any, Generic, TypeVar

import numpy as np

from vlseg_cli.media.limits import Limits, check_size
from vlseg_cli.media.protocol import (
    BUSY,
    READY,
    SLOT_BYTES,
    PixelSlots,
    Request,
    free_line,
    open_memory,
    receive,
    request_line,
)
from vlseg_cli.schema import Frame, VlsegError

T = TypeVar("T")

_TICK = 1.0  # s; silence is counted in ticks, so that a pause of the whole program counts as one


class PrefetchQueue(Generic[T]):
    """One thread puts, one takes; holds at most ``most_bytes``, or a single larger item."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._things: deque[tuple[T, int]] = deque()
        self._open = True
        self._changed = Condition()

    def reserve(self, size: int) -> bool:
        """Wait until ``size`` bytes have room and count them; False if the queue was closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._open or not self._held or self._held + size <= self._most
            )
            self._held += size
            return self._open

    def put(self, thing: T, size: int) -> None:
        """Add an item for which ``reserve`` was called."""
        with self._changed:
            self._things.append((thing, size))
            self._changed.notify_all()

    def beat(self) -> None:
        """Signal that the putting thread is alive though it has nothing to put."""
        with self._changed:
            self._changed.notify_all()

    def take(self, patience: float) -> T:
        """The next item, in order.

        Raises TimeoutError after ``patience`` seconds without a ``put`` or ``beat``, EOFError if
        the queue is closed and empty.
        """
        with self._changed:
            silence = 0.0
            while not self._things:
                if not self._open:
                    raise EOFError
                tick = min(_TICK, patience - silence)
                silence = 0.0 if self._changed.wait(tick) else silence + tick
                if silence >= patience:
                    raise TimeoutError
            thing, size = self._things.popleft()
            self._held -= size
            self._changed.notify_all()
            return thing

    def close(self) -> None:
        """Nothing more will be put; items in the queue can still be taken."""
        with self._changed:
            self._open = False
            self._changed.notify_all()


_AHEAD_BYTES = 1 << 28  # of decoded frames, kept ready
_AHEAD_FRAMES = 64
_PIPE_BYTES = 1 << 20  # room for many requests with long names
_START_SECONDS = 300.0  # a machine under load may take long to start a program


class DecoderEndedError(Exception):
    """The process ended or hangs; the reason completes 'the decoder …'."""


class DecoderProcess:
    """One child process, and a thread that receives its messages into a bounded queue."""

    def __init__(self, limits: Limits, timeout: float) -> None:
        self._limits, self._timeout = limits, timeout
        memory = open_memory()
        self._slots = PixelSlots(memory)
        self._process = subprocess.Popen(
            # -P and our own search path: nothing is imported from the folder we happen to be in.
            [sys.executable, "-P", "-m", "vlseg_cli.media.decoder_child", str(memory)],
            pass_fds=(memory,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the parent alone
        )
        os.close(memory)
        assert isinstance(self._process.stdin, io.BufferedWriter)
        assert isinstance(self._process.stdout, io.BufferedReader)
        self._to, self._from = self._process.stdin, self._process.stdout
        _enlarge_pipe(self._to)
        self._writing = Lock()  # two threads write to the child
        self._results: PrefetchQueue[Frame | str | None] = PrefetchQueue(_AHEAD_BYTES)
        self._requests: deque[Request] = deque()
        self._is_ready = False
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether all requests are decoded, though not all frames may have been taken."""
        return not self._requests

    def ask(self, request: Request) -> None:
        """Request a file; files are decoded in the order of the requests."""
        self._requests.append(request)
        self._send(request_line(request, self._limits))

    def take(self) -> Frame | str | None:
        """The next frame, None at the end of a file, or the reason of a file's failure.

        Raises DecoderEndedError if the process died, or sent nothing for too long.
        """
        try:
            if not self._is_ready:
                self._results.take(_START_SECONDS)
                self._is_ready = True
            return self._results.take(self._timeout)
        except TimeoutError:
            raise DecoderEndedError(f"gave no frame for {self._timeout:g} s") from None
        except EOFError:
            raise DecoderEndedError(self._last_words()) from None

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._results.close()
        self._listener.join()
        self._slots.close()
        self._from.close()
        with suppress(OSError):
            self._to.close()

    def _listen(self) -> None:
        """Receive the child's messages, as far as there is room, until it is gone."""
        try:
            while (message := receive(self._from)) is not None:
                if message == BUSY:
                    self._results.beat()
                elif "shape" in message:
                    self._take_frame(message)
                else:
                    if message != READY:
                        self._requests.popleft()
                    self._results.put(message.get("error"), 0)
        except Exception:  # invalid messages, or frames that do not fit into memory
            self._process.kill()
        finally:
            self._results.close()

    def _take_frame(self, message: dict[str, Any]) -> None:
        source, (height, width, channels) = self._requests[0].path, message["shape"]
        check_size(source, width, height, self._limits)
        size = max(height * width * channels, _AHEAD_BYTES // _AHEAD_FRAMES)
        self._results.beat()
        if not self._results.reserve(size):
            raise EOFError
        pixels = np.empty((height, width, channels), np.uint8)
        data = pixels.data.cast("B")
        for start in range(0, len(data), SLOT_BYTES):
            slot = (receive(self._from) or {})["slot"]
            self._slots.empty(slot, data[start : start + SLOT_BYTES])
            self._send(free_line(slot))
        self._results.put(Frame(pixels, str(source), message["index"], message["time"]), size)

    def _send(self, line: bytes) -> None:
        with self._writing, suppress(OSError):  # it died: ``take`` reports it
            self._to.write(line)
            self._to.flush()

    def _last_words(self) -> str:
        self._process.kill()
        code = self._process.wait()
        if not self._is_ready:
            raise VlsegError(
                f"The decoder process does not start (exit code {code}): is there too little"
                " memory? 'vlseg doctor' checks the machine."
            )
        if code == -SIGKILL:
            return "was killed over it (signal 9), perhaps for want of memory"
        if code < 0:
            return f"crashed on it (signal {-code})"
        return f"stopped over it (exit code {code})"


def _enlarge_pipe(pipe: io.BufferedWriter) -> None:
    """Enlarge a pipe's buffer where the system allows it."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
