"""LoRA adapters in a checkpoint: found by PEFT's names, added to the weights that they change.

W + s·B·A (LoRA section 4.1) is formed one weight at a time, when that weight is read: training
states whose adapters were never merged are read without a second copy.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vlseg_cli.schema import WeightsError

_ADAPTER = re.compile(r"(.+)\.lora_([AB])(?:\.\w+)?\.weight")
_CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """down: A (r, in); up: B (out, r); names: of the two; scale: alpha / r."""

    down: Tensor
    up: Tensor
    names: tuple[str, str]
    scale: float

    def merged(self, weight: Tensor) -> Tensor:
        """(out, in) in its own dtype; the sum is made in float32."""
        change = self.up.float() @ self.down.float()
        return (weight.float() + self.scale * change).to(weight.dtype)


def plain_name(name: str) -> str:
    """A tensor's name without what PEFT's wrappers put into it."""
    return name.replace("base_model.model.", "", 1).replace(".base_layer.", ".")


def split_adapters(
    tensors: Mapping[str, Tensor], scale: float
) -> tuple[dict[str, Tensor], dict[str, Adapter]]:
    """The weights by their plain names, and the adapters by the name of the weight they change.

    A checkpoint without adapters stays as it is. Raises WeightsError naming an adapter that lacks
    its other half or its weight, or does not fit it.
    """
    weights: dict[str, Tensor] = {}
    halves: dict[str, dict[str, str]] = {}
    for name, tensor in tensors.items():
        if match := _ADAPTER.fullmatch(name):
            sides = halves.setdefault(f"{plain_name(match[1] + '.')}weight", {})
            if match[2] in sides:
                raise WeightsError(f"{name} is one of two adapters of a weight; which is meant?")
            sides[match[2]] = name
        elif weights.setdefault(plain_name(name), tensor) is not tensor:
            raise WeightsError(f"{plain_name(name)} is there twice, with and without an adapter")
    adapters = {
        target: _adapter(target, sides, weights, tensors, scale) for target, sides in halves.items()
    }
    return weights, adapters


def _adapter(
    target: str,
    sides: Mapping[str, str],
    weights: Mapping[str, Tensor],
    tensors: Mapping[str, Tensor],
    scale: float,
) -> Adapter:
    if len(sides) < 2 or target not in weights:
        lacking = "its other half" if len(sides) < 2 else f"its weight {target}"
        raise WeightsError(f"the adapter {min(sides.values())} lacks {lacking}")
    down, up, shape = tensors[sides["A"]], tensors[sides["B"]], tuple(weights[target].shape)
    if not (
        down.dim() == up.dim() == 2
        and down.shape[0] == up.shape[1]
        and (up.shape[0], down.shape[1]) == shape
    ):
        raise WeightsError(
            f"the adapters {sides['A']} {tuple(down.shape)} and {sides['B']} {tuple(up.shape)} do "
            f"not fit {target} {shape}"
        )
    return Adapter(down, up, (sides["A"], sides["B"]), scale)


def adapter_scale(directory: Path, published: float) -> float:
    """alpha / r as PEFT's adapter_config.json says, or as published where there is none.

    Raises WeightsError if the file says nothing that can be.
    """
    file = directory / _CONFIG
    if not file.is_file():
        return published
    try:
        config = json.loads(file.read_text("utf-8"))
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise WeightsError(f"{file} does not say r and lora_alpha; fetch it again") from error
    if not math.isfinite(scale):
        raise WeightsError(f"{file} does not say r and lora_alpha; fetch it again")
    return scale
