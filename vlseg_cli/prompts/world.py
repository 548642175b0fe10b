"""The words that a miniature reads: the drawn world's, and those of its own instructions."""

from vlseg_cli.prompts.psalm import BACKGROUND
from vlseg_cli.prompts.tokenizer import Tokenizer, word_tokenizer
from vlseg_cli.worlds.vocabulary import words


def world_tokenizer() -> Tokenizer:
    """Every word of the drawn world and of the miniature's instructions."""
    instructions = {"segment", "find", "point", *BACKGROUND.split()}
    return word_tokenizer(sorted({*words(), *instructions}))
