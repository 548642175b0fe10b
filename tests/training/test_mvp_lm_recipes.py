"""Both recipes of MVP-LM build the described model and train groups that it has."""

from pathlib import Path

import pytest
import torch

from vlseg_cli.models.mvp_lm.training import TrainableMVPLM
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.training.optimizer import check_groups
from vlseg_cli.training.recipe import Recipe, load_recipe
from vlseg_cli.training.vocabulary import synthetic_vocabulary

RECIPES = Path(__file__).parents[2] / "recipes"


def built(name: str) -> tuple[Recipe, TrainableMVPLM]:
    """On the meta device: the published size takes no memory."""
    recipe = load_recipe(RECIPES / name)
    with torch.device("meta"):
        model = build_trainable(
            recipe.model.architecture, synthetic_vocabulary(), recipe.model.config, recipe.losses
        )
    assert isinstance(model, TrainableMVPLM)
    check_groups(recipe, model)
    return recipe, model


def test_the_recipe_of_the_paper() -> None:
    recipe, model = built("mvp-lm.toml")
    config = model.model.config
    assert (config.queries, config.stuff_queries, config.decoder_layers) == (100, 100, 9)
    assert config.prompt_style == "paper" and config.summary_token is not None
    assert [(stage.steps, stage.batch_size, stage.lr) for stage in recipe.stage] == [
        (4650, 128, 2e-3),
        (80000, 64, 4e-5),
    ]
    assert "vision" not in recipe.stage[1].train


def test_the_miniature() -> None:
    _, model = built("mvp-lm-mini.toml")
    parameters = sum(parameter.numel() for parameter in model.model.parameters())
    assert parameters == pytest.approx(6.9e6, rel=0.02)
    assert model.model.config.summary_token is None
