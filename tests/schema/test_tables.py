"""A table becomes its dataclass, or one sentence with file, table and the nearest right key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator

from vlseg_cli.schema import TableError
from vlseg_cli.schema.tables import (
    Count,
    Formerly,
    FormerValues,
    Fraction,
    Positive,
    former_names,
    json_schema,
    read_table,
)


@dataclass(frozen=True, slots=True)
class Inner:
    decay: Fraction = 0.5
    steps: Count | None = None

    def __post_init__(self) -> None:
        if self.steps == 13:
            raise ValueError("13 brings no luck")


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    inner: Annotated[Inner, Formerly("core")] = field(default_factory=Inner)
    several: tuple[Inner, ...] = ()
    pair: tuple[Fraction, Fraction] = (0.0, 1.0)
    rate: Annotated[Positive, Formerly("speed")] = 1.0
    on: bool = False
    kind: Annotated[Literal["text", "dense"], FormerValues({"words": "text"})] = "text"
    weights: Annotated[Mapping[str, float], FormerValues({"colour": "color"})] = field(
        default_factory=dict
    )
    free: Mapping[str, Any] = field(default_factory=dict)


def read(**table: Any) -> Outer:
    return read_table(Outer, {"name": "n", **table}, "x.toml")


def test_lists_become_tuples_and_whole_numbers_floats() -> None:
    outer = read(pair=[0, 1], rate=2, several=[{"steps": 3}], weights={"a": 1}, free={"b": [1]})
    assert outer == Outer(
        "n", pair=(0.0, 1.0), rate=2.0, several=(Inner(steps=3),), weights={"a": 1.0},
        free={"b": [1]},
    )  # fmt: skip
    assert type(outer.rate) is type(outer.pair[0]) is float and type(outer.pair) is tuple


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"raet": 1}, "x.toml: unknown key 'raet'; did you mean 'rate'?"),
        ({"inner": {"q": 1}}, "x.toml [inner]: unknown key 'q'; known are decay, steps"),
        ({"raet": 1, "on": 1}, "x.toml: unknown key 'raet'; did you mean 'rate'?"),
        ({"inner": 3}, "x.toml: inner must be a table, not 3"),
        ({"several": [{}, 3]}, "x.toml: several.1 must be a table, not 3"),
        ({"several": {}}, "x.toml: several must be a list, not {}"),
        ({"several": [{}, {"decay": 2}]}, "x.toml [several.1]: decay must be from 0 to 1, not 2"),
        ({"several": [{"steps": 0}]}, "x.toml [several.0]: steps must be at least 1, not 0"),
        ({"several": [{"steps": 13}]}, "x.toml [several.0]: 13 brings no luck"),
        ({"inner": {"steps": 1.0}}, "x.toml [inner]: steps must be a whole number, not 1.0"),
        ({"pair": [1]}, "x.toml: pair needs 2 values, not 1"),
        ({"pair": [1, 1, 1]}, "x.toml: pair needs 2 values, not 3"),
        ({"pair": [1, 9]}, "x.toml: pair.1 must be from 0 to 1, not 9"),
        ({"rate": True}, "x.toml: rate must be a number, not True"),
        ({"speed": 0}, "x.toml: rate must be at least 1e-12, not 0"),
        ({"rate": float("nan")}, "x.toml: rate must be a finite number, not nan"),
        ({"on": 1}, "x.toml: on must be true or false, not 1"),
        ({"kind": "dnese"}, "x.toml: kind = 'dnese'; did you mean 'dense'?"),
        ({"weights": {"a": "b"}}, "x.toml [weights]: a must be a number, not 'b'"),
        ({"name": 3}, "x.toml: name must be text, not 3"),
    ],
)
def test_what_does_not_fit_is_one_sentence(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TableError) as caught:
        read(**table)
    assert str(caught.value) == sentence


def test_a_missing_key_is_named() -> None:
    with pytest.raises(TableError, match=r"^x.toml: the key 'name' is missing$"):
        read_table(Outer, {}, "x.toml")


def test_former_names_are_read_and_noted_if_somebody_listens() -> None:
    old = {"core": {"decay": 1}, "speed": 2, "kind": "words", "weights": {"colour": 3}}
    notes: list[str] = []
    with former_names(notes.append):
        assert read(**old) == read(inner={"decay": 1}, rate=2, kind="text", weights={"color": 3})
    assert notes == [
        "x.toml: 'core' is now 'inner'",
        "x.toml: 'speed' is now 'rate'",
        "x.toml: kind: 'words' is now 'text'",
        "x.toml: weights: 'colour' is now 'color'",
    ]
    read(**old)
    assert len(notes) == 4
    with pytest.raises(TableError, match="'speed' is now 'rate': take one of them away"):
        read(speed=1, rate=2)


def test_the_schema_says_what_is_read() -> None:
    validator = Draft202012Validator(json_schema(Outer))
    assert validator.is_valid({"name": "n", "pair": [0, 1], "several": [{"steps": 3}]})
    for wrong in ({}, {"name": "n", "raet": 1}, {"name": "n", "inner": {"decay": 2}}):
        assert not validator.is_valid(wrong)
