"""Chance for drawings: a cheap, repeatable stream of numbers with the few questions artists ask.

A NumPy Generator costs microseconds per draw; a scene needs hundreds, so they come in one block.
A finite block that starts over also gives each object lasting traits: drawn again in the next
frame of a clip from the same block, it looks the same.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")
TRAITS = 31


class DrawingRng:
    """A stream of uniform numbers in [0, 1) that starts over when it is used up."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self._numbers = numbers
        self._next = 0

    @classmethod
    def seeded(cls, seed: int, stream: int = 0) -> "DrawingRng":
        """A long stream that belongs to ``seed``; each ``stream`` is independent of the others."""
        return cls(np.random.default_rng((seed, stream)).random(4096).tolist())

    def roll(self) -> float:
        """The next number in [0, 1)."""
        if self._next == len(self._numbers):
            self._next = 0
        self._next += 1
        return self._numbers[self._next - 1]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.roll() < probability

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.roll()

    def count(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self.roll())

    def pick(self, options: Sequence[Choice]) -> Choice:
        """One of the options, all equally likely."""
        return options[int(len(options) * self.roll())]

    def sample(self, options: Sequence[Choice], number: int) -> list[Choice]:
        """Several different options in random order (all of them if there are fewer)."""
        left = list(options)
        return [left.pop(int(len(left) * self.roll())) for _ in range(min(number, len(left)))]

    def traits(self) -> tuple[float, ...]:
        """A block of numbers an object keeps for life."""
        return tuple(self.roll() for _ in range(TRAITS))
