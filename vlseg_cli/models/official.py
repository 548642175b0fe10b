"""A model folder as its authors publish it: what it holds, and how it becomes ours.

The same for every system; what differs (rules, sizes, tokenizer) is in ``<system>_official.py``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import Coverage, cover
from vlseg_cli.weights.convert.rules import Rule, convert
from vlseg_cli.weights.folder import CONFIG

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Official:
    """An official folder that was looked through; its numbers are read when they are asked for.

    architecture: as the registry names it. sizes: a configuration as plain values. tensors: theirs
    by their names. sources: our name to the official one.
    """

    architecture: str
    sizes: Mapping[str, Any]
    tokenizer: Tokenizer
    tensors: Mapping[str, Tensor]
    rules: tuple[Rule, ...]
    coverage: Coverage
    sources: Mapping[str, str]

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Our tensors by name, as the authors stored them; views wherever nothing was split."""
        for ours in names:
            theirs = self.sources[ours]
            yield ours, convert(self.rules, theirs, self.tensors[theirs])[ours]


def look_through(
    architecture: str,
    sizes: Mapping[str, Any],
    tokenizer: Tokenizer,
    tensors: Mapping[str, Tensor],
    rules: tuple[Rule, ...],
    own: Shapes,
) -> Official:
    """Find out which tensor becomes which of ours, ``own``; complete or not."""
    coverage = cover(rules, tensors, own)
    sources = {ours: name for name, all_ours in coverage.used.items() for ours in all_ours}
    return Official(architecture, sizes, tokenizer, tensors, rules, coverage, sources)


def own_shapes(build: Callable[[], nn.Module]) -> Shapes:
    """Every tensor of the model that ``build`` makes; no memory is taken."""
    with torch.device("meta"):
        model = build()
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_vocabulary(tokenizer: Tokenizer, rows: int, where: Path) -> None:
    """Raise WeightsError if the tokenizer has tokens that the model has no row for."""
    if len(tokenizer) > rows:
        raise WeightsError(
            f"{where} has a tokenizer of {len(tokenizer)} tokens, the model only {rows}: they are "
            "not of one model"
        )


def read_config(directory: Path) -> dict[str, Any]:
    """A folder's config.json. Raises WeightsError if it is missing or no table."""
    file = directory / CONFIG
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{file} is missing or damaged; fetch it again") from error
    if not isinstance(config, dict):
        raise WeightsError(f"{file} holds no table of settings; fetch it again")
    return config


def model_type(directory: Path) -> object:
    """What a folder's config.json says it is, None if it cannot be read or does not say."""
    try:
        return read_config(directory).get("model_type")
    except WeightsError:
        return None
