"""Questions whose answer is to be seen: 'what keeps food cold?' means every fridge."""

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.knowledge import CLAUSE, GOAL, Fact, facts_by_category
from vlseg_cli.synthetic.language.candidates import by_category
from vlseg_cli.synthetic.language.rng import pick, shuffled, weighted_order
from vlseg_cli.synthetic.language.templates import CLAUSES, GOALS, QUESTIONS
from vlseg_cli.synthetic.scene import Scene, Sentence

_STUFF = 0.35  # weight of a stuff category beside a thing's 1: there is stuff in every scene
_MOST_CATEGORIES = 3
_MOST_ITEMS = 5


def reason(scene: Scene, rng: Generator, heldout: bool = False) -> Sentence | None:
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
                return Sentence(question(rng, fact, heldout), kind, targets)
    return None


def question(rng: Generator, fact: Fact, heldout: bool = False) -> str:
    """One wording of the fact in one frame."""
    wording = pick(rng, fact.heldout if heldout else fact.trained)
    if wording.startswith(GOAL):
        return pick(rng, GOALS).format(goal=wording)
    if wording.startswith(CLAUSE):
        return pick(rng, CLAUSES).format(that=wording)
    return pick(rng, QUESTIONS).format(vp=wording)
