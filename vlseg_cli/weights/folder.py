"""A model folder of ours: config.json, tokenizer.json, model.safetensors, README.md.

The one layout that is shipped, trained and converted to. Weights are stored in half precision.
"""

import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError

WEIGHTS, CONFIG, TOKENIZER, CARD = "model.safetensors", "config.json", "tokenizer.json", "README.md"


def save_folder(
    directory: Path,
    model: nn.Module,
    save_config: Callable[[Path], None],
    save_tokenizer: Callable[[Path], None],
    card: str,
) -> None:
    """Write all four files; each replaces an older one only when it is complete."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: _stored(tensor) for name, tensor in model.state_dict().items()}
    _replace(directory / WEIGHTS, lambda file: save_file(tensors, str(file)))
    _replace(directory / CONFIG, save_config)
    _replace(directory / TOKENIZER, save_tokenizer)
    _replace(directory / CARD, lambda file: file.write_text(card, "utf-8"))


def load_tensors(directory: Path) -> dict[str, Tensor]:
    """Read model.safetensors as float32. Raises WeightsError if missing or damaged."""
    file = directory / WEIGHTS
    if not file.is_file():
        raise WeightsError(f"{directory} is not a model folder: it has no {WEIGHTS}")
    try:
        tensors = load_file(str(file))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{file} is damaged ({error}); fetch or train it again") from error
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}


def _stored(tensor: Tensor) -> Tensor:
    half = tensor.half() if tensor.is_floating_point() else tensor
    return half.contiguous().cpu()


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    partial = target.with_name(f".{target.name}.part")
    write(partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


__all__ = ["CARD", "CONFIG", "TOKENIZER", "WEIGHTS", "load_tensors", "save_folder"]
