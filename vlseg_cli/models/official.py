"""A model folder in its authors' layout and its conversion to ours, for every system.

Rules, sizes and tokenizer are in the ``conversion.py`` of each system.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from vlseg_cli.schema import Categories, WeightsError
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import Coverage, Shapes, cover, shapes_of
from vlseg_cli.weights.conversion.rules import Fill, Rule, convert, find_fill
from vlseg_cli.weights.read.checkpoint import read_checkpoint
from vlseg_cli.weights.settings import CONFIG, read_config


class SizedConfig(Protocol):
    """The part of a configuration that opening and loading need."""

    @property
    def vocabulary(self) -> int: ...


C = TypeVar("C", bound=SizedConfig)

_NO_CATEGORIES = Categories(())


@dataclass(frozen=True, slots=True, eq=False)
class OfficialFolder:
    """An inspected official folder; tensors are read lazily.

    architecture: its key in the registry. sizes: the configuration as plain values. tensors: by
    official name. sources: our names to official ones. made: tensors of ours that no file stores.
    categories: of the authors' training, which their files do not list.
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
        """Names of all our tensors."""
        return (*self.sources, *self.made)

    def size(self, ours: str) -> int:
        """Bytes of one of our tensors; the parts of a split tensor are equal."""
        if ours in self.made:
            return self.made[ours].nbytes
        source = self.sources[ours]
        return self.tensors[source].nbytes // len(self.coverage.used[source])

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Our tensors by name, in the stored precision; views unless converted."""
        for ours in names:
            if ours in self.made:
                yield ours, self.made[ours]
            else:
                theirs = self.sources[ours]
                yield ours, convert(self.rules, theirs, self.tensors[theirs])[ours]


def inspect_official(
    architecture: str,
    directory: Path,
    tensors: Mapping[str, Tensor],
    sizes: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], C],
    build: Callable[[C], nn.Module],
    tokenizer: Tokenizer,
    rules: Callable[[C], tuple[Rule, ...]],
    fills: Sequence[Fill] = (),
    categories: Categories = _NO_CATEGORIES,
) -> OfficialFolder:
    """Match official tensors to ours; the result may be incomplete.

    read: the configuration of ``sizes``. build: its model, only for our shapes. Raises WeightsError
    if the sizes do not form a model, or if the tokenizer belongs to another one.
    """
    with forming(architecture, directory):
        config = read(sizes)
        own = own_shapes(lambda: build(config))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    matched = rules(config)
    coverage = cover(matched, tensors, own, fills)
    sources = {ours: name for name, all_ours in coverage.used.items() for ours in all_ours}
    made = {
        ours: fill.made(own[ours]) for ours in coverage.made if (fill := find_fill(fills, ours))
    }
    return OfficialFolder(
        architecture, sizes, tokenizer, tensors, matched, coverage, sources, made, categories
    )


_IMPOSSIBLE = (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError, AssertionError)


@contextmanager
def forming(architecture: str, where: object) -> Iterator[None]:
    """What modules raise for sizes that no model can have becomes a WeightsError."""
    try:
        yield
    except _IMPOSSIBLE as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(
            f"the sizes stated in {where} do not form a model of {architecture} ({reason})"
        ) from error


def own_shapes(build: Callable[[], nn.Module]) -> Shapes:
    """Shapes of all tensors of a model, built without memory."""
    with torch.device("meta"):
        return shapes_of(build().state_dict())


def check_vocabulary(tokenizer: Tokenizer, rows: int, where: Path) -> None:
    """Raise WeightsError if the tokenizer has more tokens than the model has embeddings."""
    if len(tokenizer) > rows:
        raise WeightsError(
            f"{where} has a tokenizer of {len(tokenizer)} tokens, the model only {rows}: they are "
            "not of one model"
        )


def read_claimed_config(directory: Path, system: str, kinds: Sequence[str]) -> dict[str, Any]:
    """Parse the config.json of a system's authors; kinds: accepted model types.

    Raises WeightsError if it is missing or of another model, or if its "vlseg" entry, our optional
    sizes, is not a table.
    """
    config, file = read_config(directory), directory / CONFIG
    if (kind := config.get("model_type")) not in kinds:
        raise WeightsError(
            f"{file} has model_type {kind!r}; {system}'s is {' or '.join(map(repr, kinds))}"
        )
    if not isinstance(config.get("vlseg", {}), dict):
        raise WeightsError(f'{file} has a "vlseg" that is not a table of sizes')
    return config


def holds_tensor(directory: Path, name: str) -> bool:
    """Whether a folder's weights have a tensor of this name; False if unreadable."""
    try:
        return name in read_checkpoint(directory)
    except WeightsError:
        return False


def model_type(directory: Path) -> object:
    """The model_type in a folder's config.json, None if missing or unreadable."""
    try:
        return read_config(directory).get("model_type")
    except WeightsError:
        return None
