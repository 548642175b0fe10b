"""What every system offers to the rest of vlseg: look once, answer many prompts."""

from collections.abc import Sequence
from typing import Any, Protocol

from vlseg_cli.schema import Ask, Frame, Prediction, Task


class Segmenter(Protocol):
    """A loaded model. ``tasks`` is what it can be asked; benchmarks ask it nothing else.
    ``categories`` and ``stuff`` (a flag each) are what it was trained with and what is asked when a
    user names nothing."""

    name: str
    tasks: frozenset[Task]
    categories: tuple[str, ...]
    stuff: tuple[bool, ...]

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that mean nothing to this model."""
        ...

    def encode(self, frames: Sequence[Frame]) -> Any:
        """Look at pictures: step 1, once for all prompts. What returns is only for ``answer``."""
        ...

    def answer(self, encoded: Any, asks: Sequence[Ask]) -> list[Prediction]:
        """Answer prompts about encoded pictures, in order.

        Raises NotFiniteError where the model's numbers for one of them are NaN or infinite.
        """
        ...
