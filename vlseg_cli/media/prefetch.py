"""A queue between a decoder and its consumer: bounded in bytes, and it knows silence."""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")

_TICK = 1.0  # s; silence is counted in ticks, so that a pause of the whole program counts as one


class PrefetchQueue(Generic[T]):
    """One thread puts, one takes; ``most_bytes`` are held at most, or a single larger thing."""

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
        """Add what ``reserve`` made room for."""
        with self._changed:
            self._things.append((thing, size))
            self._changed.notify_all()

    def beat(self) -> None:
        """Say that the putting side is alive though it has nothing to put."""
        with self._changed:
            self._changed.notify_all()

    def take(self, patience: float) -> T:
        """The next thing, in order.

        Raises TimeoutError after ``patience`` seconds without a sign of life, EOFError if the
        queue is closed and empty.
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
        """Nothing more will be put; what is in the queue can still be taken."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
