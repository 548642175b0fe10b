"""A table of TOML or JSON becomes a frozen dataclass, validated by pydantic.

The dataclass is the only description of its table: keys, types, defaults and ranges are read from
it, and so is the JSON Schema for editors. Two things are added to pydantic: an error is one
sentence with file, table, key and the nearest right word, and keys of the release before are read.
pydantic is imported by the first call, as the command line's help must not wait for it.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import NoneType
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Interval

from vlseg_cli.schema.errors import TableError, nearest_or_all

T = TypeVar("T")

Count = Annotated[int, Ge(1)]
Natural = Annotated[int, Ge(0)]
Positive = Annotated[float, Ge(1e-12)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Interval(ge=0, le=1)]


@dataclasses.dataclass(frozen=True, slots=True)
class Formerly:
    """What a key was called in the release before: ``Annotated[bool, Formerly("talks")]``."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class FormerValues:
    """What values of a key were called in the release before, or keys of a mapping: old to new."""

    names: Mapping[str, str]


_note: ContextVar[Callable[[str], None] | None] = ContextVar("note", default=None)


@contextmanager
def former_names(note: Callable[[str], None]) -> Iterator[None]:
    """Within the block, ``note`` gets a sentence for each former name that a table uses."""
    token = _note.set(note)
    try:
        yield
    finally:
        _note.reset(token)


def read_table(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Make the dataclass ``kind`` of a table. Lists become tuples; a whole number may stand for a
    float, true never for 1.

    where: file and table for messages, as 'embedded.toml [ema]'.
    Raises TableError for unknown or missing keys, wrong types and values out of range.
    """
    from pydantic import ValidationError

    # As JSON, since pydantic's strict mode takes lists for tuples and tables for dataclasses only
    # there. What JSON does not know, such as a date, becomes text.
    text = json.dumps([rename_former(kind, table, where)], default=_json)
    try:
        result: tuple[T] = _adapter(cast(Any, kind)).validate_json(text)
    except ValidationError as error:
        errors = sorted(error.errors(), key=lambda one: one["type"] != _UNKNOWN)
        raise TableError(_sentence(kind, dict(errors[0]), where)) from error
    return result[0]


def _json(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a table that ``read_table`` makes a ``kind`` of."""
    schema = _adapter(kind).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema["prefixItems"][0],
        "$defs": schema["$defs"],
    }


@cache
def _adapter(kind: Any) -> Any:
    """Validates a list of one ``kind``: pydantic takes settings from around a dataclass only."""
    from pydantic import ConfigDict, TypeAdapter

    settings = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return TypeAdapter(tuple[kind], config=settings)


def rename_former(kind: Any, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """``table``, to be read as ``kind``, with present names for those of the release before.

    Raises TableError if a key stands under both its names.
    """
    hints = _hints(kind)
    former = {
        one.name: key
        for key, hint in hints.items()
        for one in _unwrap(hint)[1]
        if isinstance(one, Formerly)
    }
    renamed: dict[str, Any] = {}
    for key, value in table.items():
        now = former.get(key, key)
        if now != key:
            if now in table:
                raise TableError(f"{where}: {key!r} is now {now!r}: take one of them away")
            _tell(f"{where}: {key!r} is now {now!r}")
        renamed[now] = _renamed(hints.get(now, Any), value, where, now)
    return renamed


def _renamed(hint: Any, value: Any, where: str, key: str) -> Any:
    kind, metadata = _unwrap(hint)
    for former in metadata:
        if isinstance(former, FormerValues):
            value = _renamed_values(former.names, value, f"{where}: {key}")
    if get_origin(kind) is tuple and isinstance(value, list):
        inner = get_args(kind)[0]
        return [_renamed(inner, one, where, f"{key}.{n}") for n, one in enumerate(value)]
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return rename_former(kind, value, _inside(where, key))
    return value


def _renamed_values(names: Mapping[str, str], value: Any, where: str) -> Any:
    """A word, the entries of a list, or the keys of a mapping."""
    if isinstance(value, Mapping):
        return {_renamed_values(names, key, where): entry for key, entry in value.items()}
    if isinstance(value, list):
        return [_renamed_values(names, entry, where) for entry in value]
    if not isinstance(value, str) or value not in names:
        return value
    _tell(f"{where}: {value!r} is now {names[value]!r}")
    return names[value]


def _tell(sentence: str) -> None:
    if (note := _note.get()) is not None:
        note(sentence)


_LONGEST = 60  # characters of a value in a sentence
_UNKNOWN = "unexpected_keyword_argument"
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dataclass_type": "a table",
    "dict_type": "a table",
}


def _sentence(kind: Any, error: Mapping[str, Any], where: str) -> str:
    """One of pydantic's errors in our words."""
    path = error["loc"][1:]
    if not path and error["type"] != "value_error":  # half a character: no JSON at all
        return f"{where}: {error['msg']}"
    *tables, key = _dotted(path) or [""]
    for name in tables:
        where = _inside(where, name)
    value, of = error["input"], error["type"]
    if of == "value_error":  # of __post_init__, about a whole table
        return f"{_inside(where, key) if key else where}: {error['ctx']['error']}"
    if of == _UNKNOWN:
        return f"{where}: unknown key {key!r}{nearest_or_all(key, _hints(_at(kind, path[:-1])[0]))}"
    if of == "missing" and isinstance(path[-1], str):
        return f"{where}: the key {key!r} is missing"
    if of == "missing" or of == "too_long":
        path = path[:-1] if of == "missing" else path
        count = len(get_args(_at(kind, path)[0]))
        return f"{where}: {_dotted(path)[-1]} needs {count} values, not {len(value)}"
    bare, metadata = _at(kind, path)
    shown = value_repr(value)
    if of == "literal_error":
        return f"{where}: {key} = {shown}{nearest_or_all(str(value), map(str, get_args(bare)))}"
    wanted = _WANTED.get(of) or next(filter(None, map(_range, metadata)), "something else")
    return f"{where}: {key} must be {wanted}, not {shown}"


def value_repr(value: Any) -> str:
    """A value of a file as Python writes it, cut where a sentence would get too long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _range(limits: Any) -> str:
    """'at least 1', 'from 0 to 1'; '' for other annotations."""
    if isinstance(limits, Interval):
        return f"from {limits.ge} to {limits.le}"
    return f"at least {limits.ge}" if isinstance(limits, Ge) else ""


def _dotted(path: Sequence[str | int]) -> list[str]:
    """('stage', 1, 'lr') to ['stage.1', 'lr']."""
    names: list[str] = []
    for part in path:
        if isinstance(part, int):
            names[-1] += f".{part}"
        else:
            names.append(part)
    return names


def _at(kind: Any, path: Sequence[str | int]) -> tuple[Any, Sequence[Any]]:
    """The type under a path of keys, and what it is annotated with."""
    bare, metadata = _unwrap(kind)
    for part in path:
        if dataclasses.is_dataclass(bare):
            inner = _hints(bare)[str(part)]
        else:  # of a tuple or a mapping all entries are alike, or at least as many as they are
            inner = get_args(bare)[0 if get_origin(bare) is tuple else -1]
        bare, metadata = _unwrap(inner)
    return bare, metadata


def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _unwrap(hint: Any) -> tuple[Any, Sequence[Any]]:
    """A type without 'or None' and annotations, and the annotations."""
    metadata: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            metadata += hint.__metadata__
            hint = get_args(hint)[0]
        elif NoneType in get_args(hint):
            hint = next(one for one in get_args(hint) if one is not NoneType)
        else:
            return hint, metadata


def _inside(where: str, key: str) -> str:
    """The place one table deeper: 'x.toml' → 'x.toml [ema]', 'x.toml [a]' → 'x.toml [a.b]'."""
    return f"{where[:-1]}.{key}]" if where.endswith("]") else f"{where} [{key}]"
