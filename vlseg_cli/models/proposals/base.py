"""What a user may say about proposals; free of torch, for the command line."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import RLE, Frame, decode_rle, encode_rle
from vlseg_cli.weights.resolve import model_folder

VARIABLE = "VLSEG_CACHE"
TORCH, ONNX = "torch", "onnx"  # what runs a SAM


def default_cache_folder() -> Path | None:
    """The folder that the environment names for what is kept, if any."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else None


def export_folder(model: str | None) -> Path:
    """Where the ONNX export of a model's SAM lies unless another place is named.

    Raises WeightsError if there is no such model.
    """
    return model_folder(model) / ONNX


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """source: who proposes, None for what the model itself says. cache: folder that keeps
    proposals and features for later runs; None keeps nothing. engine: what runs a SAM that
    proposes: torch, onnx (its export lies beside its weights), or the folder of its export."""

    source: str | None = None
    cache: Path | None = None
    engine: str = TORCH


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


OpenProposer = Callable[[str, str, str], Proposer]  # source, device, engine


@runtime_checkable
class TakesProposals(Protocol):
    """A model that chooses among masks which somebody else proposes."""

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:
        """Take proposals from elsewhere, or keep them for later runs. open_proposer: given by the
        registry, so that a system that chooses among masks imports none that proposes them."""
        ...
