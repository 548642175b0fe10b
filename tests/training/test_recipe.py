"""A wrong recipe is one sentence with file, table, key and the nearest right key."""

import os
from pathlib import Path

import pytest
import torch

from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.tables import former_names
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
        ("[optimzier]", "r.toml: unknown key 'optimzier'; did you mean 'optimizer'?"),
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
            "r.toml [data]: first_seed = 900017 is a scene held out for tests",
        ),
        ("[[stage]]\nname = 'b'", "r.toml [stage.1]: the key 'lr' is missing"),
        (STAGE + "minutes = 1", "r.toml [stage.1]: a stage needs either steps or minutes"),
        (STAGE + "mixture = {sentence = 1}", "[stage.1.mixture]: unknown key 'sentence'; did you"),
        (STAGE + "mixture = {kinds = {clor = 1}}", "unknown kind 'clor'; did you mean 'color'?"),
        (STAGE + "mixture = {heldout = true}", "wordings held out of training"),
        (STAGE + "mixture = {no_target = 2}", "no_target must be from 0 to 1"),
        (
            STAGE.replace("steps", "minutes") + "extend_schedule = true",
            "both need steps or both minutes",
        ),
        (STAGE.replace("lr = 1", "lr = inf"), "[stage.1]: lr must be a finite number, not inf"),
        (STAGE.replace("lr = 1", "lr = 1e30"), "[stage.1]: lr must be from 1e-12 to 1, not 1e+30"),
        ("[optimizer]\nclip = nan", "[optimizer]: clip must be a finite number, not nan"),
        ("x = ", "r.toml: not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    ahead, after = ("", text) if text.startswith("[") else (text, "")
    file = written(tmp_path, f"{ahead}\n{STAGE}{MODEL}{after}")
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    assert sentence in str(caught.value)


def test_the_first_stage_has_no_schedule_to_extend(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no stage before it"):
        load_recipe(written(tmp_path, f"{STAGE}extend_schedule = true\n{MODEL}"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.toml: the recipe cannot be read"):
        load_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = " + b"[" * 100_000, "not valid TOML: it is nested too deeply"),
        (b"a = " + b"9" * 5000, "not valid TOML: Exceeds the limit"),
        (b"a = \xff", "the recipe cannot be read (it is not UTF-8)"),
        (None, "the recipe cannot be read (not a regular file)"),
    ],
)
def test_hostile_recipes_are_one_sentence(tmp_path: Path, data: bytes | None, said: str) -> None:
    file = tmp_path / "r.toml"
    os.mkfifo(file) if data is None else file.write_bytes(data)
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_long_value_is_cut_in_the_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"lr must be a number, not '9{59}…$"):
        load_recipe(written(tmp_path, f"{STAGE}{MODEL}"), [f"stage.0.lr={'9' * 5000}"])


OLD = """
seed = 1
[model]
architecture = "psalm"
[optimiser]
clip = 3.0
[[stage]]
name = "a"
data = "words"
steps = 1
batch_size = 1
lr = 1
[[stage]]
name = "b"
data = "world"
steps = 1
batch_size = 1
lr = 1
moments = 2
continues = true
mixture = { kinds = { colour = 2.0, size = 1.0 } }
"""


def test_a_recipe_of_the_release_before_is_read_with_a_note_for_each_old_name(
    tmp_path: Path,
) -> None:
    notes: list[str] = []
    with former_names(notes.append):
        recipe = load_recipe(written(tmp_path, OLD), ["optimizer.weight_decay=0.5"])
    first, second = recipe.stage
    assert (recipe.optimizer.clip, recipe.optimizer.weight_decay) == (3.0, 0.5)
    assert (first.data, second.data, second.clip_frames) == ("text", "synthetic", 2)
    assert second.extend_schedule and second.mixture.kinds == {"color": 2.0, "size": 1.0}
    file = tmp_path / "r.toml"
    assert notes == [
        f"{file}: 'optimiser' is now 'optimizer'",
        f"{file} [stage.0]: data: 'words' is now 'text'",
        f"{file} [stage.1]: data: 'world' is now 'synthetic'",
        f"{file} [stage.1]: 'moments' is now 'clip_frames'",
        f"{file} [stage.1]: 'continues' is now 'extend_schedule'",
        f"{file} [stage.1.mixture]: kinds: 'colour' is now 'color'",
    ]


def test_both_names_of_a_key_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'optimiser' is now 'optimizer': take one of them away"):
        load_recipe(written(tmp_path, f"{STAGE}{MODEL}[optimizer]\n"), ["optimiser.clip=1"])


def test_defaults_and_values(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert recipe.stage[1].mixture.regions == 1
    assert recipe.stage[1].mixture.kinds  # the default weights
    assert recipe.optimizer.betas == (0.9, 0.98)
    assert isinstance(recipe.stage[0].lr, float)


def test_resolved_text_is_the_same_recipe(recipe_file: Path, tmp_path: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert load_recipe(written(tmp_path, recipe_text(recipe))) == recipe


def test_the_shipped_recipe_is_valid() -> None:
    recipe = load_recipe(RECIPES / "embedded.toml")
    assert {stage.data for stage in recipe.stage} >= {"text", "synthetic"}


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_shipped_recipe_builds_and_trains_groups_that_the_model_has(file: Path) -> None:
    recipe = load_recipe(file)
    with torch.device("meta"):
        model = build_trainable(
            recipe.model.architecture, synthetic_vocabulary(), recipe.model.config, recipe.losses
        )
        if (lora := recipe.lora) is not None:
            model.add_lora(lora.rank, lora.alpha, lora.dropout, lora.targets)
    check_groups(recipe, model)


def test_an_unknown_hand_is_refused_with_the_nearest_right_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[model]\narchitecture = "psalm"\n[data]\nhand = "wid"\n'
        '[[stage]]\nname = "a"\nlr = 1e-3\nbatch_size = 2\nsteps = 1\n'
    )
    with pytest.raises(RecipeError, match="wide"):
        load_recipe(path)
