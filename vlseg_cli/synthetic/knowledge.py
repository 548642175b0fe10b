"""The knowledge table (knowledge.toml): what is true of which categories, in how many words."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

# How a wording begins tells its form; all others are verb phrases ('keeps food cold').
GOAL = "to "  # 'to cool a drink'
CLAUSE = "that "  # 'that people sleep in'


@dataclass(frozen=True, slots=True)
class Fact:
    """One function or property.

    categories: all for which it is true, in table order. trained: wordings a model may train on.
    heldout: wordings of the same fact kept for evaluation.
    """

    name: str
    categories: tuple[str, ...]
    trained: tuple[str, ...]
    heldout: tuple[str, ...]


@lru_cache(maxsize=1)
def facts() -> tuple[Fact, ...]:
    """Every fact of the table."""
    table = tomllib.loads(
        files("vlseg_cli.synthetic").joinpath("knowledge.toml").read_text(encoding="utf-8")
    )
    return tuple(
        Fact(name, tuple(row["holds"]), tuple(row["trained"]), tuple(row["heldout"]))
        for name, row in table.items()
    )


@lru_cache(maxsize=1)
def facts_by_category() -> dict[str, tuple[Fact, ...]]:
    """The facts of each category."""
    found: dict[str, list[Fact]] = {}
    for fact in facts():
        for category in fact.categories:
            found.setdefault(category, []).append(fact)
    return {category: tuple(rows) for category, rows in found.items()}
