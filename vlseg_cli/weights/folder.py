"""A model folder of ours: config.json, tokenizer.json, model.safetensors, README.md.

The one layout that is shipped, trained and converted to. Weights are stored in half precision.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError

WEIGHTS, CONFIG, TOKENIZER, CARD = "model.safetensors", "config.json", "tokenizer.json", "README.md"


def save_folder(
    directory: Path,
    model: nn.Module,
    settings: Mapping[str, Any],
    save_tokenizer: Callable[[Path], None],
    card: str,
) -> None:
    """Write all four files; each replaces an older one only when it is complete.

    settings: what config.json says: architecture, its config, and the categories it knows.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: _stored(tensor) for name, tensor in model.state_dict().items()}
    text = json.dumps(settings, indent=2) + "\n"
    _replace(directory / WEIGHTS, lambda file: save_file(tensors, str(file)))
    _replace(directory / CONFIG, lambda file: file.write_text(text, "utf-8"))
    _replace(directory / TOKENIZER, save_tokenizer)
    _replace(directory / CARD, lambda file: file.write_text(card, "utf-8"))


def load_settings(directory: Path) -> dict[str, Any]:
    """Read config.json. Raises WeightsError if ``directory`` is no model folder."""
    file = directory / CONFIG
    if not file.is_file():
        raise WeightsError(
            f"{directory} is not a model folder: it has no {CONFIG}; give one that vlseg train "
            "wrote, or leave --model out for the embedded default"
        )
    try:
        settings = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise WeightsError(f"{file} is not valid JSON: {error}") from error
    if not (
        isinstance(settings, dict)
        and "architecture" in settings
        and isinstance(settings.get("config"), dict)
    ):
        raise WeightsError(f"{file} lacks 'architecture' or 'config': it is not one of vlseg's")
    return settings


def load_tensors(directory: Path) -> dict[str, Tensor]:
    """Read model.safetensors as float32. Raises WeightsError if missing or damaged."""
    file = directory / WEIGHTS
    if not file.is_file():
        raise WeightsError(f"{directory} has no {WEIGHTS}; fetch or train the model again")
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
    partial.chmod(0o644)  # safetensors writes files that only their owner may read
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
