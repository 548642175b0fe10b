"""What a user may say about proposals; free of torch, for the command line."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from vlseg_cli.weights.resolve import model_folder

VARIABLE = "VLSEG_CACHE"
TORCH, ONNX = "torch", "onnx"  # what runs a SAM


def named_folder() -> Path | None:
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


@runtime_checkable
class Choosing(Protocol):
    """A model that chooses among masks which somebody else proposes."""

    def choose_proposals(self, options: ProposalOptions) -> None:
        """Take proposals from elsewhere, or keep them for later runs."""
        ...
