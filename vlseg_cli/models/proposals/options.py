"""What a user may say about proposals; free of torch, for the command line."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

VARIABLE = "VLSEG_CACHE"


def named_folder() -> Path | None:
    """The folder that the environment names for what is kept, if any."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else None


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """source: who proposes, None for what the model itself says. cache: folder that keeps
    proposals and features for later runs; None keeps nothing."""

    source: str | None = None
    cache: Path | None = None


@runtime_checkable
class Choosing(Protocol):
    """A model that chooses among masks which somebody else proposes."""

    def choose_proposals(self, options: ProposalOptions) -> None:
        """Take proposals from elsewhere, or keep them for later runs."""
        ...
