"""EMA: the exponential moving average of the weights, which is what gets exported."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """An average of every floating-point tensor of a model's state, batch statistics included.

    decay: weight of the past; at most (1 + n) / (10 + n) after n updates, so that the random
    initialization is forgotten early.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Initialize with the model's present weights."""
        self.decay = decay
        self.updates = 0
        self.tensors = {name: value.detach().clone() for name, value in _state(model).items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the average with the model's present weights."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        state = _state(model)
        averaged = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.tensors[name] for name in averaged], [state[name] for name in averaged], 1 - decay
        )
        for name in state.keys() - set(averaged):
            self.tensors[name].copy_(state[name])

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Give the model the averaged weights within the block."""
        own = {name: value.detach().clone() for name, value in _state(model).items()}
        _assign(model, self.tensors)
        try:
            yield
        finally:
            _assign(model, own)

    @torch.no_grad()
    def repair_buffers(self, model: nn.Module) -> None:
        """Replace buffers that one bad batch made infinite or NaN by their averages."""
        for name, buffer in model.named_buffers():
            if name in self.tensors and not torch.isfinite(buffer).all():
                buffer.copy_(self.tensors[name])


def _state(model: nn.Module) -> dict[str, Tensor]:
    """The model's tensors, not copies."""
    state: dict[str, Tensor] = model.state_dict()
    return state


@torch.no_grad()
def _assign(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    for name, value in _state(model).items():
        value.copy_(tensors[name])
