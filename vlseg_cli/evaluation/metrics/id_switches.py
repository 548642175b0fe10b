"""Identity switches: how often the predicted track of an object changes its number.

CLEAR MOT (Bernardin and Stiefelhagen 2008, section 2.1) with masks: in each frame a pair of object
and track stays matched while they overlap enough, the others are matched again for the largest
overlap, and a match with another number than the last one is a switch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.jf import region_similarity

MIN_OVERLAP = 0.5  # IoU

Masks = Mapping[int, NDArray[np.bool_]]  # (H, W) by number


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """switches: in all. things: true objects. seen, found: frames in which they are visible, and
    those of them with a matched track. rate: switches per found frame, None if none."""

    switches: int
    things: int
    seen: int
    found: int
    rate: float | None


class IdSwitches:
    """Counts over videos; numbers mean something within a video only."""

    def __init__(self) -> None:
        self._switches = self._things = self._seen = self._found = 0

    def add(self, frames: Iterable[tuple[Masks, Masks]]) -> int:
        """Count one video: per frame the true and the predicted masks, without empty ones.

        Returns its switches.
        """
        last: dict[int, int] = {}  # true -> predicted number
        things: set[int] = set()
        switches = 0
        for truth, predicted in frames:
            things |= set(truth)
            self._seen += len(truth)
            pairs = _paired(truth, predicted, last)
            self._found += len(pairs)
            switches += sum(last.get(thing, number) != number for thing, number in pairs.items())
            last |= pairs
        self._switches += switches
        self._things += len(things)
        return switches

    def merge(self, other: "IdSwitches") -> None:
        """Take over all videos of another meter."""
        self._switches += other._switches
        self._things += other._things
        self._seen += other._seen
        self._found += other._found

    def result(self) -> SwitchResult:
        """The counts over everything that was added."""
        rate = self._switches / self._found if self._found else None
        return SwitchResult(self._switches, self._things, self._seen, self._found, rate)


def _paired(truth: Masks, predicted: Masks, last: Mapping[int, int]) -> dict[int, int]:
    """True -> predicted numbers of one frame."""
    from scipy.optimize import linear_sum_assignment

    overlaps = {
        (thing, number): overlap
        for thing, true in truth.items()
        for number, mask in predicted.items()
        if (overlap := region_similarity(mask, true)) >= MIN_OVERLAP
    }
    pairs = {thing: number for thing, number in last.items() if (thing, number) in overlaps}
    things = [thing for thing in truth if thing not in pairs]
    numbers = [number for number in predicted if number not in pairs.values()]
    table = np.array([[overlaps.get((t, n), 0.0) for n in numbers] for t in things])
    rows, columns = linear_sum_assignment(table.reshape(len(things), len(numbers)), maximize=True)
    for row, column in zip(rows, columns, strict=True):
        if (things[row], numbers[column]) in overlaps:
            pairs[things[row]] = numbers[column]
    return pairs
