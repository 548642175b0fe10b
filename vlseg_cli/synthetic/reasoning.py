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


_STUFF = 0.35  # weight of a stuff category beside a thing's 1: there is stuff in every scene
_MOST_CATEGORIES = 3
_MOST_ITEMS = 5


def reasoning_question(scene: Scene, rng: Generator, heldout: bool = False) -> Sentence | None:
    """Ask one question of the knowledge table; the targets are all items it is true of.

    heldout: use the wordings kept out of training. Returns None if the scene answers none.
    """
    present = by_category(scene)
    weights = {name: 1.0 if BY_NAME[name].is_thing else _STUFF for name in present}
    for category in weighted_order(rng, weights):
        for fact in shuffled(rng, facts_by_category().get(category, ())):
            answers = [name for name in fact.categories if name in present]
            targets = tuple(item.id for name in answers for item in present[name])
            if len(answers) <= _MOST_CATEGORIES and len(targets) <= _MOST_ITEMS:
                kind = "heldout" if heldout else "seen"
                return Sentence(question_text(rng, fact, heldout), kind, targets)
    return None


def question_text(rng: Generator, fact: Fact, heldout: bool = False) -> str:
    """One wording of the fact in one frame."""
    wording = choice(rng, fact.heldout if heldout else fact.trained)
    if wording.startswith(GOAL):
        return choice(rng, GOALS).format(goal=wording)
    if wording.startswith(CLAUSE):
        return choice(rng, CLAUSES).format(that=wording)
    return choice(rng, QUESTIONS).format(vp=wording)
