"""Model folders and their loading: modules are built empty and filled without a second copy.

The language model, most of a system's weights, may be kept in 16 bits. Vision encoders and decoders
stay in float32: they are small, and masks depend on them.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import init_empty_weights
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from vlseg_cli.models.base import FULL, Dtype
from vlseg_cli.models.official import OfficialFolder, SizedConfig, check_vocabulary, forming
from vlseg_cli.schema import Categories, TableError, UsageError, WeightsError
from vlseg_cli.schema.tables import read_table
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import require_complete
from vlseg_cli.weights.folder import load_into, load_tensors, placed
from vlseg_cli.weights.read.shards import stream_tensors
from vlseg_cli.weights.settings import CONFIG, TOKENIZER, load_settings

M = TypeVar("M", bound=nn.Module)


def usable_device(requested: str | None) -> str:
    """The requested torch device, a GPU if available for None.

    Raises UsageError if it cannot be used.
    """
    if requested is None:
        local = os.environ.get("LOCAL_RANK", "0")  # set by torchrun, one device per process
        return f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=requested).cpu()
    except (RuntimeError, AssertionError) as error:
        reason, there = str(error).splitlines()[0].rstrip("."), ", ".join(devices())
        raise UsageError(f"--device {requested}: {reason}; this machine has {there}") from error
    return requested


def devices() -> list[str]:
    """The devices that torch can use here, as ``--device`` takes them."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]


def build_empty(build: Callable[[], M]) -> M:
    """Build a module with parameters on ``meta``; buffers, which no file stores, are real."""
    with no_init_weights(), init_empty_weights(include_buffers=False):
        return build()


C = TypeVar("C", bound=SizedConfig)
Filled = TypeVar("Filled", bound=nn.Module)


@dataclass(frozen=True, slots=True, eq=False)
class ModelFolder:
    """sizes: the configuration as plain values. names, stuff: categories of training, and which are
    stuff. tensors: from a device to named weights, read lazily. dtype: of the language model; the
    rest is float32.
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
        """Build a model and load these weights.

        language: names of the modules that form the language model.
        Raises WeightsError naming every mismatched tensor.
        """
        with forming(build.__name__, self.directory):
            model, dtype = build_empty(lambda: build(config)), getattr(torch, self.dtype)
        inside = tuple(f"{part}." for part in language)
        tensors = {
            name: placed(tensor, dtype if name.startswith(inside) else torch.float32).to(device)
            for name, tensor in self.tensors(device)
        }
        load_into(model, tensors, self.directory)
        if self.dtype != FULL:
            cast_at_boundary(model, language, dtype)
        check_vocabulary(self.tokenizer, config.vocabulary, self.directory)
        return model


def cast_at_boundary(model: nn.Module, parts: Sequence[str], dtype: torch.dtype) -> None:
    """Cast inputs of each module to ``dtype``, that of its weights, and outputs to float32."""

    def cast_inputs(
        _part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return _cast(args, dtype), {key: _cast(value, dtype) for key, value in kwargs.items()}

    def cast_outputs(_part: nn.Module, _args: tuple[Any, ...], output: Any) -> Any:
        return _cast(output, torch.float32)

    for name in parts:
        part = model.get_submodule(name)
        part.register_forward_pre_hook(cast_inputs, with_kwargs=True)
        part.register_forward_hook(cast_outputs)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Cast floating-point tensors in tuples and transformers' outputs; caches are unchanged."""
    if isinstance(value, Tensor):
        return placed(value, dtype)
    if isinstance(value, tuple):
        return tuple(_cast(item, dtype) for item in value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            value[key] = _cast(item, dtype)  # type: ignore[index]  # a ModelOutput
    return value


def open_model_folder(directory: Path) -> ModelFolder:
    """Open a model folder in our layout. Raises WeightsError if files are missing or damaged."""
    settings = load_settings(directory)
    categories = _read_categories(settings.get("categories", {"names": []}), directory / CONFIG)
    return ModelFolder(
        directory,
        settings["config"],
        Tokenizer.load(directory / TOKENIZER),
        categories.names,
        categories.stuff,
        lambda device: stream_tensors(directory, device),
    )


def _read_categories(table: object, file: Path) -> Categories:
    """The categories of training. Raises WeightsError unless they are names with a flag each."""
    if not isinstance(table, Mapping):
        raise WeightsError(f"{file}: categories must be a table with names and stuff")
    try:
        categories = read_table(Categories, table, f"{file} [categories]")
    except TableError as error:
        raise WeightsError(str(error)) from error
    if len(categories.stuff) not in (0, len(categories.names)):
        raise WeightsError(
            f"{file} [categories]: {len(categories.names)} names have {len(categories.stuff)} flags"
            " of stuff"
        )
    return categories


def open_official_folder(official: OfficialFolder, directory: Path) -> ModelFolder:
    """A folder in its authors' layout, converted while loading; nothing is written.

    Raises WeightsError naming every missing or unexpected tensor.
    """
    require_complete(official.coverage, directory)
    return ModelFolder(
        directory,
        official.sizes,
        official.tokenizer,
        official.categories.names,
        official.categories.stuff,
        lambda _device: official.read(official.names),
    )


def load_initial_weights(
    model: nn.Module, tokenizer: Tokenizer, architecture: str, directory: Path
) -> tuple[str, ...]:
    """Load all weights of the same architecture, or those of another by ``load_matching``."""
    if load_settings(directory)["architecture"] != architecture:
        return load_matching(model, tokenizer, directory)
    load_into(model, load_tensors(directory), directory)
    return ()


def load_matching(model: nn.Module, tokenizer: Tokenizer, directory: Path) -> tuple[str, ...]:
    """Load every top-level part of ``model`` whose tensors all match those of a model folder.

    Rows of tokens that only ``tokenizer`` has are kept. Returns the names of the parts that stay
    randomly initialized. Raises WeightsError if no part matches or token ids differ.
    """
    rows = _vocabulary_sizes(tokenizer, directory)
    own, theirs = model.state_dict(), load_tensors(directory)
    new = part_names(name for name in own if not _fits(own[name], theirs.get(name), rows))
    matching = [name for name in own if name.partition(".")[0] not in new]
    if not matching:
        raise WeightsError(
            f"{directory} has no part of the same size to initialize from; [model.config] must "
            "agree with its config.json for at least one of " + ", ".join(new)
        )
    with torch.no_grad():
        for name in matching:
            same = own[name].shape == theirs[name].shape
            (own[name] if same else own[name][: len(theirs[name])]).copy_(theirs[name])
    return new


def part_names(tensors: Iterable[str]) -> tuple[str, ...]:
    """The distinct top-level modules of tensor names, in order."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in tensors))


def _vocabulary_sizes(tokenizer: Tokenizer, directory: Path) -> tuple[int, int]:
    """Tokens of ours and theirs. Raises WeightsError unless ours extends theirs."""
    ours = tokenizer.rust.get_vocab(True)
    theirs = Tokenizer.load(directory / TOKENIZER).rust.get_vocab(True)
    for token, number in theirs.items():
        if ours.get(token) != number:
            raise WeightsError(
                f"{directory} has other token ids ({token!r} is {number} there and "
                f"{ours.get(token, 'unknown')} here): its language model cannot be reused"
            )
    return len(ours), len(theirs)


def _fits(own: Tensor, theirs: Tensor | None, rows: tuple[int, int]) -> bool:
    """Same shape, apart from the rows of added tokens."""
    if theirs is None:
        return False
    is_table = own.dim() > 0 and (len(own), len(theirs)) == rows
    return own.shape == theirs.shape or (is_table and own.shape[1:] == theirs.shape[1:])
