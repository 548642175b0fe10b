"""A wrong recipe is one sentence with file, table, key and the nearest right key."""

from pathlib import Path

import pytest
import torch

from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import RecipeError
from vlseg_cli.training.optimizer import check_groups
from vlseg_cli.training.recipe import load_recipe, recipe_text
from vlseg_cli.training.vocabulary import synthetic_vocabulary

STAGE = "[[stage]]\nname = 'a'\nsteps = 1\nbatch_size = 1\nlr = 1\n"
RECIPES = Path(__file__).parents[2] / "recipes"
MODEL = "[model]\narchitecture = 'psalm'\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "r.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[optimizer]", "r.toml: unknown key 'optimizer'; did you mean 'optimizer'?"),
        ("[ema]\ndecoy = 1", "r.toml [ema]: unknown key 'decoy'; did you mean 'decay'?"),
        ("[ema]\ndecay = 1.5", "r.toml [ema]: decay must be from 0 to 1, not 1.5"),
        ("[ema]\ndecay = 'high'", "r.toml [ema]: decay must be a number, not 'high'"),
        ("seed = true", "r.toml: seed must be a whole number, not True"),
        ("seed = -1", "r.toml: seed must be at least 0, not -1"),
        ("ema = 3", "r.toml: ema must be a table, not 3"),
        ("[precision]\ndtype = 'bf61'", "r.toml [precision]: dtype = 'bf61'; did you mean 'bf16'?"),
        ("[optimizer]\nbetas = [0.9]", "r.toml [optimizer]: betas needs 2 values, not 1"),
        (
            "[data]\nfirst_seed = 900_017",
            "r.toml [data]: first_seed = 900017 is a scene kept for tests",
        ),
        ("[[stage]]\nname = 'b'", "r.toml [stage.1]: the key 'lr' is missing"),
        (STAGE + "minutes = 1", "r.toml [stage.1]: a stage needs either steps or minutes"),
        (STAGE + "mixture = {sentence = 1}", "[stage.1.mixture]: unknown key 'sentence'; did you"),
        (STAGE + "mixture = {kinds = {color = 1}}", "unknown kind 'color'; did you mean 'color'?"),
        (STAGE + "mixture = {heldout = true}", "wordings kept out of training"),
        (STAGE + "mixture = {no_target = 2}", "no_target must be from 0 to 1"),
        (STAGE.replace("steps", "minutes") + "continues = true", "both need steps or minutes"),
        ("x = ", "r.toml: not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    ahead, after = ("", text) if text.startswith("[") else (text, "")
    file = written(tmp_path, f"{ahead}\n{STAGE}{MODEL}{after}")
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    assert sentence in str(caught.value)


def test_first_stage_cannot_continue(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no stage stands before"):
        load_recipe(written(tmp_path, f"{STAGE}continues = true\n{MODEL}"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.toml: the recipe cannot be read"):
        load_recipe(tmp_path / "nowhere.toml")


def test_defaults_and_values(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert recipe.stage[1].mixture.regions == 1
    assert recipe.stage[1].mixture.kinds  # the world's own weights
    assert recipe.optimizer.betas == (0.9, 0.98)
    assert isinstance(recipe.stage[0].lr, float)


def test_resolved_text_is_the_same_recipe(recipe_file: Path, tmp_path: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert load_recipe(written(tmp_path, recipe_text(recipe))) == recipe


def test_the_shipped_recipe_is_valid() -> None:
    recipe = load_recipe(RECIPES / "embedded.toml")
    assert {stage.data for stage in recipe.stage} >= {"words", "world"}


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_recipe_of_ours_builds_and_names_parts_that_there_are(file: Path) -> None:
    recipe = load_recipe(file)
    with torch.device("meta"):
        model = build_trainable(
            recipe.model.architecture, synthetic_vocabulary(), recipe.model.config, recipe.losses
        )
        if (lora := recipe.lora) is not None:
            model.add_lora(lora.rank, lora.alpha, lora.dropout, lora.targets)
    check_groups(recipe, model)
