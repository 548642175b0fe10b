"""Questions of the wide language: about facts, sizes in life, and what is not there."""

from collections.abc import Iterator, Mapping, Sequence

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.knowledge import Fact, facts, facts_by_category, real_sizes
from vlseg_cli.synthetic.language.noun_phrases import article
from vlseg_cli.synthetic.language.wide.frames import filled
from vlseg_cli.synthetic.language.wide.nouns import has_noun, kin_of, noun
from vlseg_cli.synthetic.rng import choice, weighted_order
from vlseg_cli.synthetic.scene import QuestionKind, Scene, SceneItem, Sentence, by_category

_STUFF_WEIGHT = 0.35  # of a stuff category, 1 for things: every scene contains stuff
_MAX_CATEGORIES, _MAX_ITEMS = 4, 8
_SIZES = 0.08  # share of questions about sizes in life
_CLEAR = 1.7  # ratio of sizes about which people agree
_KIN = 0.5  # share of unanswered questions about a category like one that is there
_TRIES = 60
_NO_MARK = 0.25  # share of questions without their question mark

_Present = Mapping[str, Sequence[SceneItem]]


def question(scene: Scene, rng: Generator, kind: QuestionKind) -> Sentence | None:
    """A question with at least one target; None if the scene offers none of the kind."""
    if kind in ("seen", "heldout_frame") and rng.random() < _SIZES:
        sentence = _size_question(scene, rng, kind)
        if sentence is not None:
            return sentence
    present = by_category(scene)
    weights = {name: 1.0 if BY_NAME[name].is_thing else _STUFF_WEIGHT for name in present}
    known = facts_by_category("wide")
    for category in weighted_order(rng, weights):
        offered = [fact for fact in known.get(category, ()) if _offers(fact, kind, present)]
        for fact in telling_order(rng, offered):
            names = [name for name in fact.categories if name in present]
            targets = tuple(item.id for name in names for item in present[name])
            if len(names) <= _MAX_CATEGORIES and len(targets) <= _MAX_ITEMS:
                return Sentence(question_text(rng, fact, kind), kind, targets)
    return None


def absent_question(scene: Scene, rng: Generator) -> Sentence | None:
    """A question in trained wording about a fact that is true of nothing in the scene."""
    present = by_category(scene)
    kin, table = kin_of(present), facts("wide")
    for _ in range(_TRIES):
        fact = choice(rng, table)
        names = {*fact.categories, *fact.unclear}
        if not fact.trained or not names.isdisjoint(present):
            continue
        if rng.random() >= _KIN or not names.isdisjoint(kin):
            return Sentence(question_text(rng, fact, "seen"), "none", ())
    return None


def question_text(rng: Generator, fact: Fact, kind: QuestionKind = "seen") -> str:
    """A wording of the fact in a question frame, one of which is held out as ``kind`` says."""
    wordings = fact.heldout if kind in ("heldout", "heldout_function") else fact.trained
    wording = choice(rng, wordings)
    slot = {"to": "goal", "that": "that"}.get(wording.split(" ", 1)[0], "vp")
    table = {"goal": "goal", "that": "clause", "vp": "question"}[slot]
    return _marked(rng, filled(rng, table, kind == "heldout_frame", **{slot: wording}))


def _marked(rng: Generator, text: str) -> str:
    return text.removesuffix("?") if rng.random() < _NO_MARK else text


def _offers(fact: Fact, kind: QuestionKind, present: _Present) -> bool:
    """Whether the fact has wordings of this kind, and people agree about all that is present."""
    if (kind == "heldout_function") != (not fact.trained):
        return False
    return not any(name in present for name in fact.unclear)


def telling_order(rng: Generator, offered: Sequence[Fact]) -> list[Fact]:
    """In random order, those that are true of few categories first: the others are everywhere."""
    weights = {n: len(fact.categories) ** -0.5 for n, fact in enumerate(offered)}
    return [offered[number] for number in weighted_order(rng, weights)]


def _size_question(scene: Scene, rng: Generator, kind: QuestionKind) -> Sentence | None:
    present = {name: items for name, items in by_category(scene).items() if name in real_sizes()}
    if not present:
        return None
    heldout = kind == "heldout_frame"
    found = [*_against_another(rng, present), *_extremes(present), *_pairs(present)]
    if not found:
        return None
    table, about, names = choice(rng, found)
    targets = tuple(item.id for name in names for item in present[name])
    if len(targets) > _MAX_ITEMS:
        return None
    words = [noun(rng, name, present)[0] for name in about]
    if "of_two" in table:
        x, y = words if rng.random() < 0.5 else reversed(words)
        text = filled(rng, table, heldout, x=x, y=y)
    else:
        word = words[0] if words else ""
        text = filled(rng, table, heldout, n=word, an=article(word or "a"))
    return Sentence(_marked(rng, text), kind, targets)


def _against_another(
    rng: Generator, present: _Present
) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """Table, the category compared with, and those that are clearly larger or smaller."""
    sizes = real_sizes()
    other = choice(rng, tuple(sizes))
    for table, sign in (("bigger_than", 1), ("smaller_than", -1)):
        ratios = {name: (sizes[name] / sizes[other]) ** sign for name in present if name != other}
        clear = not any(1 / _CLEAR < ratio < _CLEAR for ratio in ratios.values())
        names = [name for name, ratio in ratios.items() if ratio >= _CLEAR]
        if names and clear and has_noun(other, present):
            yield table, (other,), names


def _extremes(present: _Present) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    line = sorted(present, key=real_sizes().__getitem__)
    if len(line) > 1 and _far_apart(line[0], line[1]):
        yield "smallest_of_all", (), [line[0]]
    if len(line) > 1 and _far_apart(line[-2], line[-1]):
        yield "biggest_of_all", (), [line[-1]]


def _pairs(present: _Present) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    named = [name for name in present if has_noun(name, present)]
    line = sorted(named, key=real_sizes().__getitem__)
    if len(line) > 1 and _far_apart(line[0], line[-1]):
        yield "bigger_of_two", (line[0], line[-1]), [line[-1]]
        yield "smaller_of_two", (line[0], line[-1]), [line[0]]


def _far_apart(small: str, large: str) -> bool:
    return real_sizes()[large] >= _CLEAR * real_sizes()[small]
