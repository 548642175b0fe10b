"""A sentence about a scene, what kind of clue decides it, and which items it means."""

from dataclasses import dataclass

# The kinds of referring expressions, easiest first.
KINDS: tuple[str, ...] = ("category", "colour", "position", "ordinal", "size", "relation", "all")


@dataclass(frozen=True, slots=True)
class Sentence:
    """``targets`` are the ids of all items meant; none if the sentence means nothing here.

    kind: one of ``KINDS`` or 'none' for referring expressions, 'seen' or 'heldout' for questions.
    """

    text: str
    kind: str
    targets: tuple[int, ...]
