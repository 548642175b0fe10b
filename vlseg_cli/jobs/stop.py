"""Stopping: the first signal lets the batch in hand finish, the second stops at once.

SIGTERM is what schedulers send before they kill, so it means the same as Ctrl-C.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether to stop: because of a signal, or because an input failed and that was to suffice."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.failed = False

    def __bool__(self) -> bool:
        return self.failed or self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM, 0 without a signal."""
        return 0 if self.signal is None else 128 + self.signal


@contextmanager
def stop_on_signals(note: Callable[[str], None]) -> Iterator[Stop]:
    """Catch SIGINT and SIGTERM while the block runs; the old handlers return afterwards.

    note: is told when to wait. Outside the main thread, where Python takes no signals, nothing is
    caught. Raises KeyboardInterrupt in the main thread at the second signal.
    """
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.signal is not None:
            raise KeyboardInterrupt
        stop.signal = number
        note("Stopping after what is in hand; once more stops at once. The same command resumes.")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
