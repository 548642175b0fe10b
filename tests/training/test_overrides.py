"""--set changes one value at any depth; mistakes are one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.schema import RecipeError
from vlseg_cli.training.overrides import apply_overrides

TABLE = {"seed": 1, "stage": [{"lr": 1.0, "train": ["a"]}], "model": {"architecture": "psalm"}}


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=7", ("seed",), 7),
        ("stage.0.lr=1e-3", ("stage", 0, "lr"), 1e-3),
        ("stage.0.train=['x', 'y']", ("stage", 0, "train"), ["x", "y"]),
        ("model.architecture=hyperseg", ("model", "architecture"), "hyperseg"),
        ("optimizer.clip = 0.5", ("optimizer", "clip"), 0.5),
        ("stage.0.mixture.kinds.color=2", ("stage", 0, "mixture", "kinds", "color"), 2),
    ],
)
def test_values_are_set(override: str, path: tuple[str | int, ...], value: object) -> None:
    changed: object = apply_overrides(TABLE, [override])
    for key in path:
        changed = changed[key]  # type: ignore[index]
    assert changed == value
    assert TABLE["seed"] == 1 and TABLE["stage"][0]["lr"] == 1.0  # type: ignore[index]


def test_an_empty_value_removes_the_key() -> None:
    assert "lr" not in apply_overrides(TABLE, ["stage.0.lr="])["stage"][0]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("seed", "write it as key=value"),
        ("=3", "write it as key=value"),
        ("stage.1.lr=1", "'1' is no entry of this list, which has 0 to 0"),
        ("stage.first.lr=1", "'first' is no entry"),
        ("seed.deep=1", "'deep' is asked of a value that is no table"),
    ],
)
def test_mistakes_are_named(override: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        apply_overrides(TABLE, [override])


@given(st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_number_is_parsed(value: float) -> None:
    text = str(value).lower()
    assert apply_overrides({}, [f"a.b={text}"]) == {"a": {"b": value}}
