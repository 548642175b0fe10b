"""Tensors into a model: everything must fit, and what does not is named."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from vlseg_cli.schema import WeightsError

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
