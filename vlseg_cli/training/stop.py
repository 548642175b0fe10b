"""Stopping politely: a signal sets a flag, the step in hand is finished, a checkpoint is left."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vlseg_cli.schema import VlsegError


class StoppedError(VlsegError):
    """A signal ended training after a checkpoint; the same command goes on from there."""

    def __init__(self, number: int, step: int) -> None:
        """Carry the exit code a shell expects of signal ``number``."""
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name} at step {step}; the same command goes on from there")
        self.exit_code = 128 + number


class StopRequest:
    """Whether a signal asked to stop: ``number`` is the signal's, 0 as long as there was none."""

    def __init__(self) -> None:
        """No signal yet."""
        self.number = 0

    def note(self, number: int, _: FrameType | None) -> None:
        """Signal handler; a second Ctrl-C is not held up."""
        self.number = number
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Within the block SIGTERM and SIGINT only set the request."""
    request = StopRequest()
    before = {
        number: signal.signal(number, request.note) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
