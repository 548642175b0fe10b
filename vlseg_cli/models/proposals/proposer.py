"""What proposes masks, and what was proposed: run-length masks of one picture with their scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import RLE, Frame, decode_rle, encode_rle


@dataclass(frozen=True, slots=True)
class Proposals:
    """Masks at one size (height, width), which may be smaller than the picture's; scores in
    [0, 1], each the proposer's own opinion of its mask."""

    height: int
    width: int
    masks: tuple[RLE, ...]
    scores: tuple[float, ...]

    def largest(self, count: int) -> NDArray[np.bool_]:
        """At most ``count`` masks (K, height, width), the largest first, equals in their order."""
        decoded = [decode_rle(rle) for rle in self.masks]
        order = sorted(range(len(decoded)), key=lambda place: -int(decoded[place].sum()))
        masks = np.zeros((min(count, len(order)), self.height, self.width), bool)
        for mask, place in zip(masks, order, strict=False):
            mask[:] = decoded[place]
        return masks


def proposals_of(
    masks: Sequence[NDArray[np.bool_]], scores: Sequence[float], height: int, width: int
) -> Proposals:
    """Proposals of masks that are all ``height`` by ``width``; empty ones propose nothing."""
    kept = [(encode_rle(m), float(s)) for m, s in zip(masks, scores, strict=True) if m.any()]
    return Proposals(height, width, tuple(m for m, _ in kept), tuple(s for _, s in kept))


def rle_of(table: Mapping[str, Any]) -> RLE:
    """A mask as JSON has it. Raises KeyError, TypeError or ValueError for what is none."""
    return RLE(size=[int(side) for side in table["size"]], counts=str(table["counts"]))


class Proposer(Protocol):
    """Something that proposes masks. key: changes with everything, but the picture, that decides
    what it proposes."""

    key: str

    def propose(self, frame: Frame) -> Proposals:
        """Masks of whatever is in the picture. Raises InputError where it has none to offer."""
        ...
