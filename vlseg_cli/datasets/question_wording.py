"""How questions are put so that answers can be scored: short words, or the letter of a choice.

The sentences are those of LLaVA-1.5, which all the papers use. LLaVA's line (PSALM, HyperSeg) puts
them on a line of their own; InternVL's (SELF1E) behind a space.
"""

from collections.abc import Sequence
from typing import Literal

LETTERS = "ABCDEFGH"

Joint = Literal["line", "space"]
Language = Literal["en", "cn"]

_SHORT = "Answer the question using a single word or phrase."
_UNSURE = "When the provided information is insufficient, respond with 'Unanswerable'. "
_LETTER: dict[Language, str] = {
    "en": "Answer with the option's letter from the given choices directly.",
    "cn": "请直接回答选项字母。",
}
_JOINTS: dict[Joint, str] = {"line": "\n", "space": " "}


def short_question(question: str, joint: Joint, *, unanswerable: bool = False) -> str:
    """Ask for a single word or phrase; unanswerable: VizWiz's pictures may not tell."""
    return f"{question}{_JOINTS[joint]}{_UNSURE if unanswerable else ''}{_SHORT}"


def letter_question(
    question: str, choices: Sequence[str], hint: str = "", language: Language = "en"
) -> str:
    """Ask for the letter of a choice: hint if there is one, question, choices, each on a line.

    >>> letter_question("What is it?", ["a cup", "a cat"]).splitlines()[:2]
    ['What is it?', 'A. a cup']
    """
    listed = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([*([hint] if hint else []), question, *listed, _LETTER[language]])
