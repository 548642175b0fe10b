"""A resolved recipe as TOML text: what ``--dry-run`` prints and a model card keeps."""

import json
from collections.abc import Mapping
from typing import Any

from vlseg_cli.training.recipe import Recipe, recipe_table


def recipe_text(recipe: Recipe) -> str:
    """TOML that loads to the same recipe, every default spelled out."""
    return "\n".join(_lines(recipe_table(recipe), "")).strip() + "\n"


def _lines(table: Mapping[str, Any], path: str) -> list[str]:
    """Values first, then the tables below, as TOML wants it."""
    values = {key: value for key, value in table.items() if not _is_nested(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    for key, value in table.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_lines(value, name)]
        elif key not in values:
            for entry in value:
                lines += ["", f"[[{name}]]", *_lines(entry, name)]
    return lines


def _is_nested(value: Any) -> bool:
    is_tables = isinstance(value, list) and value and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or bool(is_tables)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    """JSON's texts, numbers, booleans and lists are TOML's as well."""
    return json.dumps(value, ensure_ascii=False)
