"""Low-rank adapters (LoRA) that a checkpoint keeps beside the weights they adapt, added to them.

Only what is asked for is computed: a checkpoint of a 7B model stays mapped from its file.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from vlseg_cli.schema import WeightsError

LORA = r"\.lora_([AB])\.(?:default\.)?weight"


class Merged(Mapping[str, Tensor]):
    """A state dict whose adapted weights W read W + scale · B·A; the adapters stay in it.

    scale: alpha / r of the training. Raises WeightsError for half an adapter.
    """

    def __init__(self, tensors: Mapping[str, Tensor], scale: float) -> None:
        self._tensors, self._scale = tensors, scale
        self._adapters: dict[str, dict[str, str]] = {}
        for name in tensors:
            if match := re.search(LORA + "$", name):
                stem = name[: match.start()]
                weight = next(
                    (w for end in ("", ".base_layer") if (w := f"{stem}{end}.weight") in tensors),
                    None,
                )
                if weight is None:
                    raise WeightsError(f"the checkpoint lacks {stem}.weight, which {name} adapts")
                self._adapters.setdefault(weight, {})[match[1]] = name
        for weight, halves in self._adapters.items():
            if halves.keys() != {"A", "B"}:
                raise WeightsError(f"the checkpoint holds half an adapter of {weight}")

    def __getitem__(self, name: str) -> Tensor:
        """The tensor as the model is meant to be used, in its stored dtype."""
        weight = self._tensors[name]
        if name not in self._adapters or weight.device.type == "meta":
            return weight
        halves = self._adapters[name]
        change = self._tensors[halves["B"]].float() @ self._tensors[halves["A"]].float()
        return torch.add(weight.float(), change, alpha=self._scale).to(weight.dtype)

    def __iter__(self) -> Iterator[str]:
        """Names in the checkpoint's order."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._tensors)
