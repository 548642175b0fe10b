"""Tensors into a model: everything must fit, and what does not is named."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vlseg_cli.outputs.atomic import make_folder, write_atomically, write_by_name
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.shards import save_tensors, stream_tensors
from vlseg_cli.weights.settings import CARD, CONFIG, TOKENIZER, WEIGHTS

_NAMED = 3  # at most so many names in one sentence


def load_into(model: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Give a model (on any device, meta included) these tensors.

    Raises WeightsError naming missing, extra or misshapen tensors of ``source``.
    """
    if problems := misfit(model.state_dict(), tensors):
        raise WeightsError(f"{source} does not fit its configuration: it {problems}")
    model.load_state_dict(dict(tensors), strict=True, assign=True)


def misfit(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """What keeps ``tensors`` from taking the place of ``own``, as half a sentence; '' if nothing
    does."""
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    misshapen = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
        for name in sorted(own.keys() & tensors.keys())
        if own[name].shape != tensors[name].shape
    ]
    return "; ".join(
        f"{what} {', '.join(names[:_NAMED])}{' …' if len(names) > _NAMED else ''}"
        for what, names in (("lacks", missing), ("has extra", extra), ("has", misshapen))
        if names
    )


def save_folder(
    directory: Path,
    state: Mapping[str, Tensor],
    settings: Mapping[str, Any],
    save_tokenizer: Callable[[Path], None],
    card: str,
) -> None:
    """Write all four files; each replaces an older one only when it is complete.

    state: the model's tensors by name. settings: what config.json says: architecture, its config,
    and the categories it knows. Raises OutputError if the disk refuses.
    """
    make_folder(directory)
    tensors = {name: _stored(tensor) for name, tensor in state.items()}
    text = json.dumps(settings, indent=2) + "\n"
    write_by_name(directory / WEIGHTS, lambda file: save_tensors(tensors, file))
    write_atomically(directory / CONFIG, text.encode())
    write_by_name(directory / TOKENIZER, save_tokenizer)
    write_atomically(directory / CARD, card.encode())


def load_tensors(
    directory: Path, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> dict[str, Tensor]:
    """Read the weights straight into ``dtype`` on ``device``; whole numbers stay what they are.

    What is stored in ``dtype`` already is mapped from the file, the rest passes through memory a
    few tensors at a time. Raises WeightsError if the weights are missing or damaged.
    """
    return {name: placed(tensor, dtype) for name, tensor in stream_tensors(directory, device)}


def placed(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Floating point in ``dtype``, anything else as it is."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _stored(tensor: Tensor) -> Tensor:
    half = tensor.half() if tensor.is_floating_point() else tensor
    return half.contiguous().cpu()
