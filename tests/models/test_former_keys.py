"""Keys of the previous release in configurations and recipes are still accepted."""

from typing import Any

import pytest

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.training import HRSegLosses
from vlseg_cli.models.mvp_lm.training import MVPLMLosses
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.training import SELF1ELosses
from vlseg_cli.models.training import read_losses


@pytest.mark.parametrize(
    ("config", "former", "name", "value"),
    [
        (HRSegConfig, "most_proposals", "max_proposals", 7),
        (HRSegConfig, "picture_fit", "image_fit", "pad"),
        (SELF1EConfig, "answer_tokens", "max_new_tokens", 7),
    ],
)
def test_former_config_keys(config: Any, former: str, name: str, value: Any) -> None:
    assert getattr(config.from_dict({former: value}), name) == value


@pytest.mark.parametrize(
    ("losses", "former", "name", "value"),
    [
        (HRSegLosses, "text", "language", 0.5),
        (HRSegLosses, "names", "category_prompts", 7),
        (SELF1ELosses, "words", "language", 0.5),
        (SELF1ELosses, "names", "category_prompts", 7),
        (MVPLMLosses, "instances", "instance_fraction", 0.5),
        (MVPLMLosses, "listed_names", "list_lengths", (2, 4)),
    ],
)
def test_former_loss_keys(losses: Any, former: str, name: str, value: Any) -> None:
    assert getattr(read_losses(losses, {former: value}), name) == value
