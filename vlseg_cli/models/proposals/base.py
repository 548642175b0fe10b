"""Options, data and protocols of mask proposals; free of torch, for the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import RLE, Frame, decode_rle, encode_rle
from vlseg_cli.weights.resolve import model_folder

TORCH, ONNX = "torch", "onnx"  # inference engines of SAM
Note = Callable[[str], None]  # shows a sentence to the user


def export_folder(model: str | None) -> Path:
    """Default folder of the ONNX export of a model's SAM.

    Raises WeightsError if there is no such model.
    """
    return model_folder(model) / ONNX


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """source: model or folder of the proposals, None for the model's default. cache: folder of
    proposals and features for later runs; None disables caching. engine of a SAM: torch, onnx
    (its export lies beside its weights), or the folder of its export. note: called with a
    sentence if ONNX Runtime runs on the CPU although the model has a GPU; None: an error."""

    source: str | None = None
    cache: Path | None = None
    engine: str = TORCH
    note: Note | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Masks of one size (height, width), which may be smaller than the image's; scores in [0, 1],
    the proposer's estimate of each mask's quality."""

    height: int
    width: int
    masks: tuple[RLE, ...]
    scores: tuple[float, ...]

    def largest(self, count: int) -> NDArray[np.bool_]:
        """At most ``count`` masks (K, height, width), largest first, ties in order."""
        decoded = [decode_rle(rle) for rle in self.masks]
        order = sorted(range(len(decoded)), key=lambda index: -int(decoded[index].sum()))
        masks = np.zeros((min(count, len(order)), self.height, self.width), bool)
        for mask, index in zip(masks, order, strict=False):
            mask[:] = decoded[index]
        return masks


def proposals_of(
    masks: Sequence[NDArray[np.bool_]], scores: Sequence[float], height: int, width: int
) -> Proposals:
    """Proposals from masks of size ``height`` by ``width``; empty masks are dropped."""
    kept = [(encode_rle(m), float(s)) for m, s in zip(masks, scores, strict=True) if m.any()]
    return Proposals(height, width, tuple(m for m, _ in kept), tuple(s for _, s in kept))


class Proposer(Protocol):
    """Proposes masks for images. key: identifies weights and settings, for the cache."""

    key: str

    def propose(self, frame: Frame) -> Proposals:
        """Masks for an image. Raises InputError if none are available for it."""
        ...


OpenProposer = Callable[..., Proposer]  # source, device, engine, note


@runtime_checkable
class TakesProposals(Protocol):
    """A model that selects among proposed masks."""

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:
        """Set the source and the cache of proposals. open_proposer: passed in by the registry, so
        that systems do not import each other."""
        ...
