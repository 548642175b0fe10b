"""Reasoning questions: their targets follow from the facts of ``language/knowledge``.

'what keeps food cold?' refers to every fridge of a scene.
"""

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.knowledge import Fact, facts, facts_by_category
from vlseg_cli.synthetic.language.templates import CLAUSES, GOALS, QUESTIONS
from vlseg_cli.synthetic.language.wide import questions as wide
from vlseg_cli.synthetic.rng import choice, shuffled, weighted_order
from vlseg_cli.synthetic.scene import QuestionKind, Scene, Sentence, by_category

# A wording's first word gives its form; all others are verb phrases ('keeps food cold').
_GOAL = "to "  # 'to cool a drink'
_CLAUSE = "that "  # 'that people sleep in'
_STUFF_WEIGHT = 0.35  # of a stuff category, 1 for things: every scene contains stuff
_MAX_CATEGORIES = 3
_MAX_ITEMS = 5


def reasoning_question(
    scene: Scene, rng: Generator, kind: QuestionKind = "seen"
) -> Sentence | None:
    """A question about one fact; its targets are all items for which the fact is true.

    kind: which wordings; the first language has trained and held-out ones alone. None if no fact
    applies to the scene.
    """
    if scene.language == "wide":
        return wide.question(scene, rng, kind)
    present = by_category(scene)
    weights = {name: 1.0 if BY_NAME[name].is_thing else _STUFF_WEIGHT for name in present}
    for category in weighted_order(rng, weights):
        for fact in shuffled(rng, facts_by_category().get(category, ())):
            names = [name for name in fact.categories if name in present]
            targets = tuple(item.id for name in names for item in present[name])
            if len(names) <= _MAX_CATEGORIES and len(targets) <= _MAX_ITEMS:
                heldout = kind != "seen"
                text = question_text(rng, fact, heldout)
                return Sentence(text, "heldout" if heldout else "seen", targets)
    return None


def no_target_question(scene: Scene, rng: Generator) -> Sentence | None:
    """A question in trained wording that nothing in the scene answers; None if there is none."""
    if scene.language == "wide":
        return wide.absent_question(scene, rng)
    present = by_category(scene)
    absent = [fact for fact in facts() if not any(name in present for name in fact.categories)]
    return Sentence(question_text(rng, choice(rng, absent)), "none", ()) if absent else None


def question_text(rng: Generator, fact: Fact, heldout: bool = False) -> str:
    """One wording of the fact in one question template of the first language."""
    wording = choice(rng, fact.heldout if heldout else fact.trained)
    if wording.startswith(_GOAL):
        return choice(rng, GOALS).format(goal=wording)
    if wording.startswith(_CLAUSE):
        return choice(rng, CLAUSES).format(that=wording)
    return choice(rng, QUESTIONS).format(vp=wording)
