"""AdamW, its state in a checkpoint, and the parameter groups that a stage trains."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vlseg_cli.models.training import Trainable
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.errors import nearest_or_all
from vlseg_cli.training.recipe import OptimizerTable, Recipe, StageTable


def check_groups(recipe: Recipe, model: Trainable) -> None:
    """Raise RecipeError if a stage trains a group that the model does not have."""
    groups = model.parameter_groups()
    for number, stage in enumerate(recipe.stage):
        for name in stage.train:
            if name not in groups:
                raise RecipeError(
                    f"[stage.{number}]: train names the unknown group {name!r}"
                    f"{nearest_or_all(name, groups)}"
                )


def choose_trained(model: Trainable, stage: StageTable) -> None:
    """Make the stage's groups require gradients and freeze the others.

    Modules that are wholly frozen are in evaluation mode, so that their batch statistics stay.
    """
    for name, parameters in model.parameter_groups().items():
        for parameter in parameters:
            parameter.requires_grad_(not stage.train or name in stage.train)
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


def build_optimizer(model: nn.Module, recipe: OptimizerTable) -> torch.optim.AdamW:
    """AdamW; no weight decay for norms, biases and embeddings."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    decayed: list[nn.Parameter] = []
    undecayed: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_embedding = id(parameter) in tables or "embed" in name or "bias" in name
        (undecayed if is_embedding or parameter.ndim < 2 else decayed).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": undecayed, "weight_decay": 0.0},
        ],
        betas=recipe.betas,
        eps=recipe.eps,
        fused=True,
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The state as {'<parameter>|<moment>': tensor}, for safetensors."""
    return {
        f"{name}|{moment}": value
        for name, parameter in model.named_parameters()
        for moment, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Restore the state that ``optimizer_tensors`` gave, on the device of each parameter."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, moment = key.rsplit("|", 1)
        parameter = parameters[name]
        optimizer.state[parameter][moment] = value.to(parameter.device)
