"""Which weights a stage trains, by the names a model gives to its parts."""

from vlseg_cli.models.trainable import Trainable
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.spelling import nearest_or_all
from vlseg_cli.training.recipe import Recipe, Stage


def check_groups(recipe: Recipe, model: Trainable) -> None:
    """Raise RecipeError if a stage trains a part that the model does not have."""
    groups = model.groups()
    for number, stage in enumerate(recipe.stage):
        for name in stage.train:
            if name not in groups:
                raise RecipeError(
                    f"[stage.{number}]: train names the unknown group {name!r}"
                    f"{nearest_or_all(name, groups)}"
                )


def choose_trained(model: Trainable, stage: Stage) -> None:
    """Let the stage's groups learn and hold the others still.

    Layers that are wholly frozen are put in evaluation mode: their batch statistics stand, too.
    """
    for name, parameters in model.groups().items():
        for parameter in parameters:
            parameter.requires_grad_(not stage.train or name in stage.train)
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
