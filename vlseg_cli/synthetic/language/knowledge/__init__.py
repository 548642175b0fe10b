"""What is true of which categories, and how it is asked for: the tables of this folder.

``first.toml`` is the first language's; the wide one adds ``wider.toml`` to it and the other files.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.scene import Language

_WIDE_FILES = ("kitchen.toml", "home.toml", "street.toml", "nature.toml")


@dataclass(frozen=True, slots=True)
class Fact:
    """One function or property.

    categories: all for which it is true, in table order. trained: wordings used in training, none
    for a fact that is held out. heldout: wordings of the same fact for evaluation only. unclear:
    categories about which people would disagree.
    """

    name: str
    categories: tuple[str, ...]
    trained: tuple[str, ...]
    heldout: tuple[str, ...]
    unclear: frozenset[str] = frozenset()


@lru_cache(maxsize=2)
def facts(language: Language = "first") -> tuple[Fact, ...]:
    """Every fact of a language."""
    return tuple(_first_facts() if language == "first" else _wide_facts())


@lru_cache(maxsize=2)
def facts_by_category(language: Language = "first") -> dict[str, tuple[Fact, ...]]:
    """The facts of each category."""
    found: dict[str, list[Fact]] = {}
    for fact in facts(language):
        for category in fact.categories:
            found.setdefault(category, []).append(fact)
    return {category: tuple(rows) for category, rows in found.items()}


@lru_cache(maxsize=1)
def real_sizes() -> dict[str, float]:
    """The usual size of each thing in life, cm: the edge of a cube of the same volume."""
    return dict(_table("sizes.toml"))


def _first_facts() -> Iterator[Fact]:
    for name, row in _table("first.toml").items():
        yield Fact(name, tuple(row["holds"]), tuple(row["trained"]), tuple(row["heldout"]))


def _wide_facts() -> Iterator[Fact]:
    wider = _table("wider.toml")
    for fact in _first_facts():
        more = wider.get(fact.name, {})
        categories = (*fact.categories, *more.get("holds", ()))
        unclear = frozenset(more.get("unclear", ()))
        yield Fact(fact.name, categories, fact.trained, fact.heldout, unclear)
    for file in _WIDE_FILES:
        for name, row in _table(file).items():
            unclear = frozenset(row.get("unclear", ()))
            categories = tuple(row.get("holds", ())) or tuple(
                category.name
                for category in BY_NAME.values()
                if category.is_thing and category.name not in {*row["things_except"], *unclear}
            )
            yield Fact(name, categories, tuple(row["trained"]), tuple(row["heldout"]), unclear)


def _table(file: str) -> dict[str, Any]:
    folder = files("vlseg_cli.synthetic.language.knowledge")
    return tomllib.loads(folder.joinpath(file).read_text(encoding="utf-8"))
