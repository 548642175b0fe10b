"""LoRA adapters that a checkpoint keeps beside the weights they change, added to them.

W + s·B·A (LoRA section 4.1) is formed when that weight is asked for: a checkpoint of a 7B model
stays mapped from its file.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from vlseg_cli.schema import WeightsError

LORA = r"\.lora_([AB])(?:\.\w+)?\.weight"


class Merged(Mapping[str, Tensor]):
    """A state dict whose adapted weights W (out, in) read W + scale·B·A; the adapters A (r, in)
    and B (out, r) stay in it under their names.

    scale: alpha / r of the training. Raises WeightsError naming an adapter that lacks its other
    half or its weight, or does not fit it.
    """

    def __init__(self, tensors: Mapping[str, Tensor], scale: float) -> None:
        self._tensors, self._scale = tensors, scale
        self._adapters: dict[str, dict[str, str]] = {}
        for name in tensors:
            if match := re.fullmatch(f"(.+){LORA}", name):
                sides = self._adapters.setdefault(_weight_of(match[1], tensors, name), {})
                if match[2] in sides:
                    raise WeightsError(f"{name} is one of two adapters of one weight")
                sides[match[2]] = name
        for weight, sides in self._adapters.items():
            _check_shapes(weight, sides, tensors)

    def __getitem__(self, name: str) -> Tensor:
        """The tensor in its stored dtype; the sum is made in float32."""
        weight = self._tensors[name]
        if name not in self._adapters:
            return weight
        sides = self._adapters[name]
        change = self._tensors[sides["B"]].float() @ self._tensors[sides["A"]].float()
        return torch.add(weight.float(), change, alpha=self._scale).to(weight.dtype)

    def __iter__(self) -> Iterator[str]:
        """Names in the checkpoint's order."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._tensors)


def _weight_of(module: str, tensors: Mapping[str, Tensor], adapter: str) -> str:
    """PEFT before 0.5 leaves the weight its name, later ones call it ``base_layer``."""
    for name in (f"{module}.weight", f"{module}.base_layer.weight"):
        if name in tensors:
            return name
    raise WeightsError(f"the adapter {adapter} lacks its weight {module}.weight")


def _check_shapes(weight: str, sides: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    if len(sides) < 2:
        raise WeightsError(f"the adapter {min(sides.values())} lacks its other half")
    a, b = (tuple(tensors[sides[side]].shape) for side in "AB")
    shape = tuple(tensors[weight].shape)
    if not (len(a) == len(b) == 2 and a[0] == b[1] and (b[0], a[1]) == shape):
        raise WeightsError(
            f"the adapters {sides['A']} {a} and {sides['B']} {b} do not fit {weight} {shape}"
        )
