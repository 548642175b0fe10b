"""New models fit the drawn world's words, and wrong recipes are refused."""

from typing import Any

import pytest

from vlseg_cli.models.fresh import build_model
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import RecipeError
from vlseg_cli.worlds.categories import NAMES, STUFF


def test_a_new_model_fits_its_words(miniature: dict[str, Any], tokenizer: Tokenizer) -> None:
    model = build_model("psalm", miniature, {"points": 0, "assignment": "first"})
    assert model.model.config.vocabulary == len(tokenizer)
    assert (model.names, model.stuff) == (NAMES, STUFF)
    assert model.weights.points == 0


@pytest.mark.parametrize(
    ("architecture", "losses", "said"),
    [
        ("sam", {}, r"unknown architecture 'sam' in \[model\]; there is psalm"),
        ("psalm", {"masks": 1.0}, r"\[losses\]: unknown key 'masks'; did you mean 'mask'\?"),
        ("psalm", {"assignment": "hungry"}, "assignment = 'hungry'; did you mean 'hungarian'"),
        ("psalm", {"dice": "much"}, "dice must be a number, not 'much'"),
        ("psalm", {"mask": -1}, "mask must be at least 0, not -1"),
    ],
)
def test_wrong_recipes(
    miniature: dict[str, Any], architecture: str, losses: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        build_model(architecture, miniature, losses)


def test_one_answer_per_prompt_needs_regions_apart(miniature: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="regions_together = false"):
        build_model("psalm", {**miniature, "regions_together": True}, {"assignment": "first"})
