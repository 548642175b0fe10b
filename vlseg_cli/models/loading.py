"""A model folder before its weights are read, ours or its authors': sizes, words and tensors.

Both layouts become the same; a system says which configuration and which classes they are for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from vlseg_cli.models.empty import build_empty
from vlseg_cli.models.official.folder import Official, check_vocabulary
from vlseg_cli.models.precision import FULL, Dtype, cast_at_the_door, is_held
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.weights.convert.coverage import require_complete
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.folder import TOKENIZER, load_settings, placed
from vlseg_cli.weights.read.shards import stream_tensors


class Sized(Protocol):
    """A configuration, as far as loading looks at it."""

    @property
    def vocabulary(self) -> int: ...


C = TypeVar("C", bound=Sized)
M = TypeVar("M", bound=nn.Module)


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

    def fill(self, build: Callable[[C], M], config: C, device: str, language: tuple[str, ...]) -> M:
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
            cast_at_the_door(model, language, dtype)
        check_vocabulary(self.tokenizer, config.vocabulary, self.directory)
        return model


def open_ours(directory: Path) -> ModelFolder:
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


def open_theirs(official: Official, directory: Path) -> ModelFolder:
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
