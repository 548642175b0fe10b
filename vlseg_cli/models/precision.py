"""The language model, most of every system's weights, held in 16 bits: half the memory.

Vision encoders and decoders stay in float32: they are small, and masks are computed from them. What
enters and leaves the language model is cast at its boundary.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch
    from torch import nn

Dtype = Literal["float32", "float16", "bfloat16"]
FULL: Dtype = "float32"


def is_held(tensor: str, parts: tuple[str, ...]) -> bool:
    """Whether a tensor, by its name, belongs to one of ``parts``."""
    return any(tensor.startswith(f"{part}.") for part in parts)


def cast_at_boundary(model: "nn.Module", parts: tuple[str, ...], dtype: "torch.dtype") -> None:
    """Let each part, whose weights are in ``dtype``, take and give tensors in float32."""
    import torch

    def entering(
        _part: "nn.Module", args: tuple[Any, ...], given: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return _cast(args, dtype), {key: _cast(value, dtype) for key, value in given.items()}

    def leaving(_part: "nn.Module", _args: tuple[Any, ...], told: Any) -> Any:
        return _cast(told, torch.float32)

    for name in parts:
        part = model.get_submodule(name)
        part.register_forward_pre_hook(entering, with_kwargs=True)
        part.register_forward_hook(leaving)


def _cast(value: Any, dtype: "torch.dtype") -> Any:
    """Floating-point tensors in tuples and in outputs of transformers; a cache stays as it is."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, tuple):
        return tuple(_cast(one, dtype) for one in value)
    if isinstance(value, Mapping):
        for key, one in value.items():
            value[key] = _cast(one, dtype)  # type: ignore[index]  # an output of transformers
    return value
