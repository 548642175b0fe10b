"""`vlseg train` hands the recipe on as it was typed."""

from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "embedded.toml"


@pytest.mark.parametrize("override", ["no-equals-sign", "nonsense.key=1"])
def test_a_wrong_override_is_one_sentence(vlseg, override: str) -> None:
    ran = vlseg("train", RECIPE, "--set", override, "--dry-run")
    assert ran.code == 2
    assert ran.err.startswith("vlseg: ") and ran.err.count("\n") == 1


def test_a_broken_recipe_is_one_sentence(vlseg, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[model\n")
    ran = vlseg("train", "broken.toml", "--dry-run")
    assert ran.code == 2
    assert "broken.toml" in ran.err and ran.err.count("\n") == 1
