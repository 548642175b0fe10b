"""The command lines ``INPUT… "TEXT"``: which words are inputs and which are the sentences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.schema.errors import UsageError

Texts = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        "-q",
        help="A sentence; repeat it for several, which share one look at each image.",
        rich_help_panel="Prompt",
    ),
]


def split_sentences(
    words: Sequence[str], texts: Sequence[str] | None, kind: str
) -> tuple[list[str], list[str]]:
    """Split positional words into inputs and sentences; without --text the last is the sentence.

    kind: 'expression' or 'question', for the error. Raises UsageError if a part is missing.
    """
    if texts:
        return list(words), [checked(text, kind) for text in texts]
    if not words:
        raise UsageError(f"There is no input and no {kind}: name images, then ask, in quotes.")
    *inputs, text = words
    if _is_path(text):
        raise UsageError(
            f"{text!r} is a file: put the {kind} last, in quotes, as in"
            f" 'vlseg … {Path(text).name} \"…\"'."
        )
    if not inputs:
        raise UsageError(f"There is no input before the {kind} {text!r}: name an image first.")
    return inputs, [checked(text, kind)]


def checked(text: str, kind: str) -> str:
    """A sentence without blanks around it. Raises UsageError for an empty one."""
    if not text.strip():
        raise UsageError(f"The {kind} is empty: write what to look for, in quotes.")
    return text.strip()


def _is_path(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False
