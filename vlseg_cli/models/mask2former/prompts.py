"""The conversation template that PSALM and MVP-LM share, and what a collator needs of prompts."""

from collections.abc import Sequence
from typing import Protocol

from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import Tokenizer

BACKGROUND = "background"
_SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual "
    "content that the user provides, and assist the user with a variety of tasks using natural "
    "language."
)


class MaskPrompts(Protocol):
    """Token sequences for prompts that are answered with masks."""

    tokenizer: Tokenizer

    def categories(self, names: Sequence[str]) -> TokenSequence:
        """Segment everything that has one of these names."""
        ...

    def sentence(self, text: str) -> TokenSequence:
        """Segment what a sentence means."""
        ...

    def regions(self, count: int) -> TokenSequence:
        """Segment what lies in so many regions."""
        ...


def user_turn(user: str) -> str:
    """What a user says in the LLaMA-2 wrapper that Phi was trained with; an answer comes next."""
    return f"[INST] <<SYS>>\n{_SYSTEM}\n<</SYS>>\n\n{user} [/INST]"


def chat_turn(user: str, answer: str) -> str:
    """One turn in that wrapper."""
    return f"{user_turn(user)} {answer} <|endoftext|>"
