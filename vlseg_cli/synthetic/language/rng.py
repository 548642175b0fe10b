"""Drawing lots from a NumPy generator, quickly: sentences are made in the training loop.

``Generator.choice`` costs as much as a whole sentence here, so one uniform number does the work.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from numpy.random import Generator

T = TypeVar("T")


def pick(rng: Generator, options: Sequence[T]) -> T:
    """One of the options (at least one), all equally likely."""
    return options[int(rng.random() * len(options))]


def shuffled(rng: Generator, options: Iterable[T]) -> list[T]:
    """The options in random order."""
    items = list(options)
    keys = rng.random(len(items)).tolist()
    return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]


def weighted_order(rng: Generator, weights: Mapping[T, float]) -> list[T]:
    """The keys of positive weight in random order: heavy ones tend to come first."""
    keys = {key: rng.random() ** (1 / weight) for key, weight in weights.items() if weight > 0}
    return sorted(keys, key=keys.__getitem__, reverse=True)
