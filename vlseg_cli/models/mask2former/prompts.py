"""The conversation template of PSALM and MVP-LM, and the prompts that a collator uses."""

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
    """Token sequences for prompts with masks as output."""

    tokenizer: Tokenizer

    def categories(self, names: Sequence[str]) -> TokenSequence:
        """All objects of these categories."""
        ...

    def sentence(self, text: str) -> TokenSequence:
        """The object or objects of an expression or a question."""
        ...

    def regions(self, count: int) -> TokenSequence:
        """The objects of this many regions."""
        ...


def user_turn(user: str) -> str:
    """A user's turn in the LLaMA-2 template that Phi was trained with; an answer comes next."""
    return f"[INST] <<SYS>>\n{_SYSTEM}\n<</SYS>>\n\n{user} [/INST]"


def chat_turn(user: str, answer: str) -> str:
    """One turn with its answer in that template."""
    return f"{user_turn(user)} {answer} <|endoftext|>"
