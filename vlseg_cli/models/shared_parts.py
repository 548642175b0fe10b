"""Begin with the parts that a model of another system has, too: its eyes, its language model.

So one miniature learns what another has not, as published models begin with published bases.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.folder import TOKENIZER, load_settings, load_tensors

Rows = tuple[int, int]  # of a table of words: ours, theirs


def begin_with_folder(
    model: nn.Module, tokenizer: Tokenizer, architecture: str, directory: Path
) -> tuple[str, ...]:
    """Take all of a model folder of the same architecture, of another one's ``take_parts``."""
    if load_settings(directory)["architecture"] != architecture:
        return take_parts(model, tokenizer, directory)
    load_into(model, load_tensors(directory), directory)
    return ()


def take_parts(model: nn.Module, tokenizer: Tokenizer, directory: Path) -> tuple[str, ...]:
    """Fill every part of ``model`` that a model folder has in the same sizes, whole or not at all.

    Words that only ours knows keep their rows. Returns the names of the parts that begin anew.
    Raises WeightsError if no part fits, or if a word has another number there.
    """
    words = _check_words(tokenizer, directory)
    own, theirs = model.state_dict(), load_tensors(directory)
    anew = part_names(name for name in own if not _fits(own[name], theirs.get(name), words))
    taken = [name for name in own if name.partition(".")[0] not in anew]
    if not taken:
        raise WeightsError(
            f"{directory} has no part of the same size to begin with; [model.config] must agree "
            "with its config.json for at least one of " + ", ".join(anew)
        )
    with torch.no_grad():
        for name in taken:
            same = own[name].shape == theirs[name].shape
            (own[name] if same else own[name][: len(theirs[name])]).copy_(theirs[name])
    return anew


def part_names(tensors: Iterable[str]) -> tuple[str, ...]:
    """The parts to which tensors belong, each once: the first piece of a name is its part."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in tensors))


def _check_words(tokenizer: Tokenizer, directory: Path) -> Rows:
    """How many words there are on both sides."""
    ours = tokenizer.rust.get_vocab(True)
    theirs = Tokenizer.load(directory / TOKENIZER).rust.get_vocab(True)
    for word, number in theirs.items():
        if ours.get(word) != number:
            raise WeightsError(
                f"{directory} counts its words otherwise ({word!r} is {number} there and "
                f"{ours.get(word, 'unknown')} here), so its language model cannot be begun with"
            )
    return len(ours), len(theirs)


def _fits(own: Tensor, theirs: Tensor | None, words: Rows) -> bool:
    """The same shape, but for the rows of words that were added."""
    if theirs is None:
        return False
    is_table = own.dim() > 0 and (len(own), len(theirs)) == words
    return own.shape == theirs.shape or (is_table and own.shape[1:] == theirs.shape[1:])
