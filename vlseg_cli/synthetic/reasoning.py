"""Reasoning questions: the facts of ``knowledge.toml`` and questions whose targets they define.

'what keeps food cold?' refers to every fridge of a scene.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.templates import CLAUSES, GOALS, QUESTIONS
from vlseg_cli.synthetic.rng import choice, shuffled, weighted_order
from vlseg_cli.synthetic.scene import Scene, Sentence, by_category

# A wording's first word gives its form; all others are verb phrases ('keeps food cold').
_GOAL = "to "  # 'to cool a drink'
_CLAUSE = "that "  # 'that people sleep in'
_STUFF_WEIGHT = 0.35  # of a stuff category, 1 for things: every scene contains stuff
_MAX_CATEGORIES = 3
_MAX_ITEMS = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """One function or property.

    categories: all for which it is true, in table order. trained: wordings used in training.
    heldout: wordings of the same fact for evaluation only.
    """

    name: str
    categories: tuple[str, ...]
    trained: tuple[str, ...]
    heldout: tuple[str, ...]


@lru_cache(maxsize=1)
def facts() -> tuple[Fact, ...]:
    """Every fact of the table."""
    text = files("vlseg_cli.synthetic").joinpath("knowledge.toml").read_text(encoding="utf-8")
    return tuple(
        Fact(name, tuple(row["holds"]), tuple(row["trained"]), tuple(row["heldout"]))
        for name, row in tomllib.loads(text).items()
    )


@lru_cache(maxsize=1)
def facts_by_category() -> dict[str, tuple[Fact, ...]]:
    """The facts of each category."""
    found: dict[str, list[Fact]] = {}
    for fact in facts():
        for category in fact.categories:
            found.setdefault(category, []).append(fact)
    return {category: tuple(rows) for category, rows in found.items()}


def reasoning_question(scene: Scene, rng: Generator, heldout: bool = False) -> Sentence | None:
    """A question about one fact; its targets are all items for which the fact is true.

    heldout: use the wordings excluded from training. None if no fact applies to the scene.
    """
    present = by_category(scene)
    weights = {name: 1.0 if BY_NAME[name].is_thing else _STUFF_WEIGHT for name in present}
    for category in weighted_order(rng, weights):
        for fact in shuffled(rng, facts_by_category().get(category, ())):
            names = [name for name in fact.categories if name in present]
            targets = tuple(item.id for name in names for item in present[name])
            if len(names) <= _MAX_CATEGORIES and len(targets) <= _MAX_ITEMS:
                kind = "heldout" if heldout else "seen"
                return Sentence(question_text(rng, fact, heldout), kind, targets)
    return None


def question_text(rng: Generator, fact: Fact, heldout: bool = False) -> str:
    """One wording of the fact in one question template."""
    wording = choice(rng, fact.heldout if heldout else fact.trained)
    if wording.startswith(_GOAL):
        return choice(rng, GOALS).format(goal=wording)
    if wording.startswith(_CLAUSE):
        return choice(rng, CLAUSES).format(that=wording)
    return choice(rng, QUESTIONS).format(vp=wording)
