"""Keeps the language model, most of a system's weights, in 16 bits to halve memory.

Vision encoders and decoders stay in float32: they are small, and masks depend on them. Tensors are
cast at the boundary of the language model.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch
    from torch import nn

Dtype = Literal["float32", "float16", "bfloat16"]
FULL: Dtype = "float32"


def belongs_to(tensor: str, parts: tuple[str, ...]) -> bool:
    """Whether a tensor name is inside one of the modules ``parts``."""
    return any(tensor.startswith(f"{part}.") for part in parts)


def cast_at_boundary(model: "nn.Module", parts: tuple[str, ...], dtype: "torch.dtype") -> None:
    """Cast inputs of each module to ``dtype``, that of its weights, and outputs to float32."""
    import torch

    def cast_inputs(
        _part: "nn.Module", args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return _cast(args, dtype), {key: _cast(value, dtype) for key, value in kwargs.items()}

    def cast_outputs(_part: "nn.Module", _args: tuple[Any, ...], output: Any) -> Any:
        return _cast(output, torch.float32)

    for name in parts:
        part = model.get_submodule(name)
        part.register_forward_pre_hook(cast_inputs, with_kwargs=True)
        part.register_forward_hook(cast_outputs)


def _cast(value: Any, dtype: "torch.dtype") -> Any:
    """Cast floating-point tensors in tuples and transformers' outputs; caches are unchanged."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, tuple):
        return tuple(_cast(item, dtype) for item in value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            value[key] = _cast(item, dtype)  # type: ignore[index]  # a ModelOutput
    return value
