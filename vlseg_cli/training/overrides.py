"""``--set stage.0.steps=100``: change one value of a recipe's tables before they are checked.

The value is read as TOML, so numbers, lists and booleans look as in the file; a bare word is text.
No value takes the key away: ``--set stage.0.steps= stage.0.minutes=5``.
"""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from vlseg_cli.schema import RecipeError


def apply_overrides(table: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of ``table`` with each 'dotted.key=value' set; numbers in a key count list entries.

    Raises RecipeError if an override has no '=', or leads through something that is no table.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(table))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"--set {override}: write it as key=value, as in optimizer.clip=0.5")
        *path, last = key.strip().split(".")
        place: Any = changed
        for part in path:
            place = _enter(place, part, override)
        _put(place, last, _parse(text.strip()), override)
    return changed


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _enter(place: Any, part: str, override: str) -> Any:
    """The table or list under ``part``; a table that the file leaves out is begun."""
    if isinstance(place, dict):
        return place.setdefault(part, {})
    return place[_entry(place, part, override)]


def _put(place: Any, part: str, value: Any, override: str) -> None:
    if isinstance(place, dict) and value == "":
        place.pop(part, None)
    elif isinstance(place, dict):
        place[part] = value
    else:
        place[_entry(place, part, override)] = value


def _entry(place: Any, part: str, override: str) -> int:
    if not isinstance(place, list):
        raise RecipeError(f"--set {override}: {part!r} is asked of a value that is no table")
    if not part.isdigit() or int(part) >= len(place):
        raise RecipeError(
            f"--set {override}: {part!r} is no entry of this list, which has 0 to {len(place) - 1}"
        )
    return int(part)
