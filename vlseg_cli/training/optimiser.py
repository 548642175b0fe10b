"""AdamW over every weight, with decay on matrices alone, and its state as named tensors.

One optimiser lives through all stages: what a stage freezes has no gradient and is left untouched.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vlseg_cli.training.recipe import Optimiser


def build_optimiser(model: nn.Module, recipe: Optimiser) -> torch.optim.AdamW:
    """AdamW; norms, biases and embeddings are not decayed, as pulling them to 0 has no meaning."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_table = id(parameter) in tables or "embed" in name or "bias" in name
        (free if is_table or parameter.ndim < 2 else decayed).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ],
        betas=recipe.betas,
        eps=recipe.eps,
        fused=True,
    )


def optimiser_tensors(optimiser: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The state as {'<parameter>|<moment>': tensor}, fit for safetensors."""
    return {
        f"{name}|{moment}": value
        for name, parameter in model.named_parameters()
        for moment, value in optimiser.state.get(parameter, {}).items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what ``optimiser_tensors`` gave, on the device of each parameter."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, moment = key.rsplit("|", 1)
        parameter = parameters[name]
        optimiser.state[parameter][moment] = value.to(parameter.device)
