"""From a folder to a filled model and its tokenizer: one of ours, or as its authors publish it.

The same for every system; a segmenter says which configuration and which class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from vlseg_cli.models.empty import build_empty
from vlseg_cli.models.official.folder import Official, check_vocabulary
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.weights.convert.coverage import require_complete
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.folder import TOKENIZER, load_settings, load_tensors, placed


class Sized(Protocol):
    """A configuration, as far as loading looks at it."""

    @property
    def vocabulary(self) -> int: ...


C = TypeVar("C", bound=Sized)
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """names, stuff: categories that the model was trained with, and which are uncountable."""

    model: M
    tokenizer: Tokenizer
    names: tuple[str, ...]
    stuff: tuple[bool, ...]


def load_ours(
    directory: Path,
    read: Callable[[Mapping[str, Any]], C],
    build: Callable[[C], M],
    device: str,
    dtype: torch.dtype,
) -> Loaded[M]:
    """A model folder of ours; read, build: its configuration, and a model of it.

    Raises WeightsError naming what does not fit.
    """
    settings = load_settings(directory)
    config = read(settings["config"])
    model = build_empty(lambda: build(config))
    load_into(model, load_tensors(directory, dtype, device), directory)
    tokenizer = Tokenizer.load(directory / TOKENIZER)
    check_vocabulary(tokenizer, config.vocabulary, directory)
    known = settings.get("categories", {"names": (), "stuff": ()})
    return Loaded(model, tokenizer, tuple(known["names"]), tuple(known["stuff"]))


def load_theirs(
    official: Official,
    directory: Path,
    read: Callable[[Mapping[str, Any]], C],
    build: Callable[[C], M],
    device: str,
    dtype: torch.dtype,
) -> Loaded[M]:
    """The folder that ``official`` has looked through, converted on the way; nothing is written.

    Raises WeightsError naming every tensor that does not fit.
    """
    require_complete(official.coverage, directory)
    config = read(official.sizes)
    model = build_empty(lambda: build(config))
    ours = official.read(official.names)
    load_into(model, {name: placed(t, dtype).to(device) for name, t in ours}, directory)
    trained = official.categories
    return Loaded(model, official.tokenizer, trained.names, trained.stuff)
