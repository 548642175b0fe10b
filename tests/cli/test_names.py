"""--categories in the user's own words, with the model's knowledge of what is stuff."""

from dataclasses import dataclass

import pytest

from vlseg_cli.cli.names import parse_names, prompt_for
from vlseg_cli.schema import Categories, Task, UsageError


@dataclass
class Trained:
    """The part of a model that names categories."""

    name: str = "trained"
    categories: tuple[str, ...] = ("cup", "sky")
    stuff: tuple[bool, ...] = (False, True)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, ()),
        ("cup", ("cup",)),
        (" cup ,wine glass,, cup", ("cup", "wine glass")),
        ("either; or, neither", ("either; or", "neither")),
    ],
)
def test_names_are_split_at_commas(text: str | None, names: tuple[str, ...]) -> None:
    assert parse_names(text) == names


@pytest.mark.parametrize("text", ["", " , ", "cup; table", "cup|table", "cup\ntable"])
def test_other_separators_and_no_names_are_errors(text: str) -> None:
    with pytest.raises(UsageError, match="--categories"):
        parse_names(text)


def test_without_names_the_model_is_asked_for_all_it_knows() -> None:
    expected = Categories(("cup", "sky"), (False, True))
    assert prompt_for((), Trained(), Task.PANOPTIC) == expected
    assert prompt_for((), Trained(), Task.DETECT) == expected


def test_stuff_is_marked_by_what_the_model_knows() -> None:
    assert prompt_for(("sky", "dog"), Trained(), Task.SEMANTIC).stuff == (True, False)


def test_named_objects_are_countable_where_objects_are_asked_for() -> None:
    prompt = prompt_for(("sky", "dog"), Trained(), Task.INSTANCE)
    assert prompt.is_thing(0) and prompt.is_thing(1)
