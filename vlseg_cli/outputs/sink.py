"""What every output format is: it takes frames with their answers, one by one, then closes."""

from collections.abc import Sequence
from typing import Protocol

from vlseg_cli.schema import Frame, Prediction


class Sink(Protocol):
    """One output format of one run. Files that gather many frames appear at ``close``."""

    def write(self, frame: Frame, name: str, predictions: Sequence[Prediction]) -> None:
        """Take one frame, its safe file name, and everything that was answered about it."""
        ...

    def close(self) -> None:
        """Finish; also called after an interruption, so that what was done is kept."""
        ...
