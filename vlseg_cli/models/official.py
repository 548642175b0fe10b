"""A model folder as its authors publish it: what it holds, and how it becomes ours.

The same for every system; what differs (rules, sizes, tokenizer) is in the files beside this.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from vlseg_cli.schema import Categories, WeightsError
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import Coverage, cover
from vlseg_cli.weights.conversion.rules import Fill, Rule, convert, find_fill
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.read.checkpoint import read_checkpoint

C = TypeVar("C")
Shapes = dict[str, tuple[int, ...]]

_NO_CATEGORIES = Categories(())


@dataclass(frozen=True, slots=True, eq=False)
class OfficialFolder:
    """An official folder that was looked through; its numbers are read when they are asked for.

    architecture: as the registry names it. sizes: a configuration as plain values. tensors: theirs
    by their names. sources: our name to the official one. made: ours that no file has.
    categories: what the authors trained it to look for, which no file of theirs says.
    """

    architecture: str
    sizes: Mapping[str, Any]
    tokenizer: Tokenizer
    tensors: Mapping[str, Tensor]
    rules: tuple[Rule, ...]
    coverage: Coverage
    sources: Mapping[str, str]
    made: Mapping[str, Tensor] = field(default_factory=dict)
    categories: Categories = _NO_CATEGORIES

    @property
    def names(self) -> tuple[str, ...]:
        """All tensors of ours that ``read`` can give."""
        return (*self.sources, *self.made)

    def size(self, ours: str) -> int:
        """Bytes of one of our tensors; those of a split one share its bytes evenly."""
        if ours in self.made:
            return self.made[ours].nbytes
        source = self.sources[ours]
        return self.tensors[source].nbytes // len(self.coverage.used[source])

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Our tensors by name, as the authors stored them; views wherever nothing was split."""
        for ours in names:
            if ours in self.made:
                yield ours, self.made[ours]
            else:
                theirs = self.sources[ours]
                yield ours, convert(self.rules, theirs, self.tensors[theirs])[ours]


def inspect_official(
    architecture: str,
    sizes: Mapping[str, Any],
    tokenizer: Tokenizer,
    tensors: Mapping[str, Tensor],
    rules: tuple[Rule, ...],
    own: Shapes,
    fills: Sequence[Fill] = (),
    categories: Categories = _NO_CATEGORIES,
) -> OfficialFolder:
    """Find out which tensor becomes which of ours, ``own``; complete or not."""
    coverage = cover(rules, tensors, own, fills)
    sources = {ours: name for name, all_ours in coverage.used.items() for ours in all_ours}
    made = {
        ours: fill.made(own[ours]) for ours in coverage.made if (fill := find_fill(fills, ours))
    }
    return OfficialFolder(
        architecture, sizes, tokenizer, tensors, rules, coverage, sources, made, categories
    )


def own_shapes(build: Callable[[], nn.Module]) -> Shapes:
    """Every tensor of the model that ``build`` makes; no memory is taken."""
    with torch.device("meta"):
        model = build()
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def sized(
    system: str, read: Callable[[], C], build: Callable[[C], nn.Module], directory: Path
) -> tuple[C, Shapes]:
    """The configuration that ``read`` gives, and every shape of ours that follows from it.

    Raises WeightsError if no model of the system can have the sizes that ``directory`` states.
    """
    try:
        config = read()
        return config, own_shapes(lambda: build(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no {system} can have all the sizes that {directory} states") from error


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


def read_claimed_config(directory: Path, system: str, kinds: Sequence[str]) -> dict[str, Any]:
    """What the config.json of a system's authors says; kinds: the model types it may have.

    Raises WeightsError if it is missing or another model's, or if the sizes that we may have added
    under "vlseg" are no table.
    """
    config, file = read_config(directory), directory / CONFIG
    if (kind := config.get("model_type")) not in kinds:
        raise WeightsError(
            f"{file} says model_type {kind!r}; {system}'s is {' or '.join(map(repr, kinds))}"
        )
    if not isinstance(config.get("vlseg", {}), dict):
        raise WeightsError(f'{file} has a "vlseg" that is no table of sizes')
    return config


def holds_tensor(directory: Path, name: str) -> bool:
    """Whether a folder's weights have a tensor of this name; False if they cannot be read."""
    try:
        return name in read_checkpoint(directory)
    except WeightsError:
        return False


def model_type(directory: Path) -> object:
    """What a folder's config.json says it is, None if it cannot be read or does not say."""
    try:
        return read_config(directory).get("model_type")
    except WeightsError:
        return None
