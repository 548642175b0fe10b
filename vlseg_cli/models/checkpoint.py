"""Modules without numbers, to be filled from a file: no memory is taken twice."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from accelerate import init_empty_weights
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from vlseg_cli.models.official import OfficialFolder, check_vocabulary
from vlseg_cli.models.precision import FULL, Dtype, cast_at_boundary, is_held
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import require_complete
from vlseg_cli.weights.folder import TOKENIZER, load_into, load_settings, load_tensors, placed
from vlseg_cli.weights.read.shards import stream_tensors

M = TypeVar("M", bound=nn.Module)


def build_empty(build: Callable[[], M]) -> M:
    """Build a module whose parameters are on ``meta``; buffers that no file holds are real."""
    with no_init_weights(), init_empty_weights(include_buffers=False):
        return build()


class SizedConfig(Protocol):
    """A configuration, as far as loading looks at it."""

    @property
    def vocabulary(self) -> int: ...


C = TypeVar("C", bound=SizedConfig)
Filled = TypeVar("Filled", bound=nn.Module)


@dataclass(frozen=True, slots=True, eq=False)
class ModelFolder:
    """sizes: a configuration as plain values. names, stuff: categories that the model was trained
    with, and which are uncountable. tensors: its weights as stored, by name, on a device, read when
    called. dtype: of its language model; all else is float32.
    """

    directory: Path
    sizes: Mapping[str, Any]
    tokenizer: Tokenizer
    names: tuple[str, ...]
    stuff: tuple[bool, ...]
    tensors: Callable[[str], Iterable[tuple[str, Tensor]]]
    dtype: Dtype = FULL

    def fill(
        self, build: Callable[[C], Filled], config: C, device: str, language: tuple[str, ...]
    ) -> Filled:
        """What ``build`` makes of ``config``, with these weights.

        language: the parts of the model that its language model is made of.
        Raises WeightsError naming every tensor that does not fit.
        """
        model, dtype = build_empty(lambda: build(config)), getattr(torch, self.dtype)
        tensors = {
            name: placed(tensor, dtype if is_held(name, language) else torch.float32).to(device)
            for name, tensor in self.tensors(device)
        }
        load_into(model, tensors, self.directory)
        if self.dtype != FULL:
            cast_at_boundary(model, language, dtype)
        check_vocabulary(self.tokenizer, config.vocabulary, self.directory)
        return model


def open_model_folder(directory: Path) -> ModelFolder:
    """A model folder of ours. Raises WeightsError if a part of it is missing or damaged."""
    settings = load_settings(directory)
    known = settings.get("categories", {"names": (), "stuff": ()})
    return ModelFolder(
        directory,
        settings["config"],
        Tokenizer.load(directory / TOKENIZER),
        tuple(known["names"]),
        tuple(known["stuff"]),
        lambda device: stream_tensors(directory, device),
    )


def open_official_folder(official: OfficialFolder, directory: Path) -> ModelFolder:
    """The folder that ``official`` has looked through, converted on the way; nothing is written.

    Raises WeightsError naming every tensor that it has too many or too few.
    """
    require_complete(official.coverage, directory)

    trained = official.categories
    return ModelFolder(
        directory,
        official.sizes,
        official.tokenizer,
        trained.names,
        trained.stuff,
        lambda _device: official.read(official.names),
    )


Rows = tuple[int, int]  # of a table of words: ours, theirs


def load_initial_weights(
    model: nn.Module, tokenizer: Tokenizer, architecture: str, directory: Path
) -> tuple[str, ...]:
    """Take all of a model folder of the same architecture, of another one's ``load_matching``."""
    if load_settings(directory)["architecture"] != architecture:
        return load_matching(model, tokenizer, directory)
    load_into(model, load_tensors(directory), directory)
    return ()


def load_matching(model: nn.Module, tokenizer: Tokenizer, directory: Path) -> tuple[str, ...]:
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
