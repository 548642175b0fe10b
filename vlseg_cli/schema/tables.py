"""A table of TOML or JSON becomes a frozen dataclass; what does not fit is a sentence naming it.

The dataclass is the only description of its table: types, defaults and ranges are read from it, so
there is no second list of keys that could disagree.
"""

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vlseg_cli.schema.errors import TableError, nearest_or_all

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Formerly:
    """What a key was called in the release before: ``Annotated[bool, Formerly("talks")]``. Files of
    that release are still read."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Between:
    """The range of a number in a table, both ends allowed; None is an open end."""

    low: float | None = None
    high: float | None = None

    def __contains__(self, number: float) -> bool:
        """True if ``number`` lies within the range."""
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )

    def __str__(self) -> str:
        """'at least 1', 'from 0 to 1'."""
        if self.high is None:
            return f"at least {self.low}"
        return f"at most {self.high}" if self.low is None else f"from {self.low} to {self.high}"


Count = Annotated[int, Between(1)]
Natural = Annotated[int, Between(0)]
Positive = Annotated[float, Between(1e-12)]
NonNegative = Annotated[float, Between(0)]
Fraction = Annotated[float, Between(0, 1)]


def read_table(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Make the dataclass ``kind`` of a table.

    where: file and table for messages, as 'embedded.toml [ema]'.
    Raises TableError for unknown or missing keys, wrong types and values out of range.
    """
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    former = {
        one.name: name
        for name, hint in hints.items()
        for one in getattr(hint, "__metadata__", ())
        if isinstance(one, Formerly)
    }
    table = {former.get(key, key): value for key, value in table.items()}
    for key in table:
        if key not in fields:
            raise TableError(f"{where}: unknown key {key!r}{nearest_or_all(key, fields)}")
    for name, field in fields.items():
        if name not in table and _is_required(field):
            raise TableError(f"{where}: the key {name!r} is missing")
    values = {key: _read(hints[key], value, where, key) for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise TableError(f"{where}: {error}") from error


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read(hint: Any, value: Any, where: str, key: str) -> Any:
    """One value by its type hint; ``key`` is for messages."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        number = _read(arguments[0], value, where, key)
        for limits in arguments[1:]:
            if isinstance(limits, Between) and number not in limits:
                raise TableError(f"{where}: {key} must be {limits}, not {value!r}")
        return number
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:  # TOML knows no null, a model's JSON does
            return None
        return _read(next(a for a in arguments if a is not NoneType), value, where, key)
    if origin is Literal:
        if value not in arguments:
            raise TableError(f"{where}: {key} = {value!r}{nearest_or_all(str(value), arguments)}")
        return value
    if origin is tuple:
        values = [*value] if isinstance(value, tuple) else _expect(list, value, where, key)
        return _read_list(arguments, values, where, key)
    if dataclasses.is_dataclass(hint):
        kind: type[Any] = hint if isinstance(hint, type) else type(hint)
        return read_table(kind, _expect(dict, value, where, key), inside(where, key))
    if origin is not None and issubclass(origin, Mapping):
        table = _expect(dict, value, where, key)
        within = inside(where, key)
        return {name: _read(arguments[1], entry, within, name) for name, entry in table.items()}
    return value if hint is Any else _expect(hint, value, where, key)


def _read_list(kinds: tuple[Any, ...], values: list[Any], where: str, key: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(values) != len(kinds):
        raise TableError(f"{where}: {key} needs {len(kinds)} values, not {len(values)}")
    return tuple(
        _read(kind, value, where, f"{key}.{number}")
        for number, (kind, value) in enumerate(zip(kinds, values, strict=True))
    )


_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _expect(kind: type[Any], value: Any, where: str, key: str) -> Any:
    """``value`` if it is a ``kind``; a whole number may stand for a float, true never for 1."""
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        wanted = _NAMES.get(kind, "a list" if kind is list else "a table")
        raise TableError(f"{where}: {key} must be {wanted}, not {value!r}")
    return value


def inside(where: str, key: str) -> str:
    """The place one table deeper: 'x.toml' → 'x.toml [ema]', 'x.toml [a]' → 'x.toml [a.b]'."""
    return f"{where[:-1]}.{key}]" if where.endswith("]") else f"{where} [{key}]"
