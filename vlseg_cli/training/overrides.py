"""``--set stage.0.steps=100``: change one value of a recipe's tables before they are checked.

The value is TOML: numbers, lists and booleans are written as in the file; other text is a string.
An empty value removes the key: ``--set stage.0.steps= stage.0.minutes=5``.
"""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from vlseg_cli.schema import RecipeError


def apply_overrides(table: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of ``table`` with each 'dotted.key=value' set; numbers in a key index a list.

    Raises RecipeError if an override has no '=', or leads through a value that is no table.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(table))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"--set {override}: write it as key=value, as in optimizer.clip=0.5")
        *path, last = key.strip().split(".")
        parent: Any = changed
        for part in path:
            parent = _enter(parent, part, override)
        _put(parent, last, _parse(text.strip()), override)
    return changed


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _enter(table: Any, part: str, override: str) -> Any:
    """The table or list under ``part``; a new table if the file has none."""
    if isinstance(table, dict):
        return table.setdefault(part, {})
    return table[_index(table, part, override)]


def _put(table: Any, part: str, value: Any, override: str) -> None:
    if isinstance(table, dict) and value == "":
        table.pop(part, None)
    elif isinstance(table, dict):
        table[part] = value
    else:
        table[_index(table, part, override)] = value


def _index(table: Any, part: str, override: str) -> int:
    if not isinstance(table, list):
        raise RecipeError(f"--set {override}: {part!r} is asked of a value that is no table")
    if not part.isdigit() or int(part) >= len(table):
        raise RecipeError(
            f"--set {override}: {part!r} is no entry of this list, which has 0 to {len(table) - 1}"
        )
    return int(part)
