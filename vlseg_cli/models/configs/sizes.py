"""A system's configuration from the plain values of a JSON or TOML file."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from vlseg_cli.schema import WeightsError

C = TypeVar("C")


def read_sizes(kind: type[C], values: Mapping[str, Any], system: str) -> C:
    """Make the dataclass ``kind``; lists become tuples. Raises WeightsError for unknown keys."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise WeightsError(f"unknown keys in the {system} configuration: {', '.join(unknown)}")
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    )


def check_choices(config: object, choices: Mapping[str, Collection[str]], system: str) -> None:
    """Raise WeightsError for a word that is none of its key's choices."""
    for key, allowed in choices.items():
        if (value := getattr(config, key)) not in allowed:
            raise WeightsError(f"{system}'s {key} is {value!r}; it can be {' or '.join(allowed)}")
