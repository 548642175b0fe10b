"""Cheap random choices: from a NumPy generator for sentences, from a block of numbers for drawings.

Samples are made inside the training loop. ``Generator.choice`` costs as much as a whole sentence,
and one generator call per number would dominate the drawing of a scene.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.random import Generator

T = TypeVar("T")
BLOCK_SIZE = 31


def choice(rng: Generator, options: Sequence[T]) -> T:
    """One of the options (at least one), uniformly."""
    return options[int(rng.random() * len(options))]


def shuffled(rng: Generator, options: Iterable[T]) -> list[T]:
    """The options in random order."""
    items = list(options)
    keys = rng.random(len(items)).tolist()
    return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]


def weighted_order(rng: Generator, weights: Mapping[T, float]) -> list[T]:
    """The keys of positive weight in random order, those of larger weight tending to come first."""
    keys = {key: rng.random() ** (1 / weight) for key, weight in weights.items() if weight > 0}
    return sorted(keys, key=keys.__getitem__, reverse=True)


class DrawingRng:
    """A finite stream of uniform numbers in [0, 1) that starts over at its end.

    An object drawn again from the same block, in the next frame of a clip, has the same appearance.
    """

    def __init__(self, numbers: Sequence[float]) -> None:
        self._numbers = numbers
        self._next = 0

    @classmethod
    def seeded(cls, seed: int, stream: int = 0, length: int = 4096) -> "DrawingRng":
        """``length`` numbers of ``seed``; different ``stream`` numbers are independent."""
        return cls(np.random.default_rng((seed, stream)).random(length).tolist())

    def random(self) -> float:
        """The next number in [0, 1)."""
        if self._next == len(self._numbers):
            self._next = 0
        self._next += 1
        return self._numbers[self._next - 1]

    def bernoulli(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def uniform(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.random()

    def integer(self, low: int, high: int) -> int:
        """Uniform integer in [low, high]."""
        return low + int((high - low + 1) * self.random())

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, uniformly."""
        return options[int(len(options) * self.random())]

    def sample(self, options: Sequence[T], number: int) -> list[T]:
        """Up to ``number`` different options in random order."""
        left = list(options)
        return [left.pop(int(len(left) * self.random())) for _ in range(min(number, len(left)))]

    def block(self) -> tuple[float, ...]:
        """The next ``BLOCK_SIZE`` numbers, for a stream of an object's own."""
        return tuple(self.random() for _ in range(BLOCK_SIZE))
