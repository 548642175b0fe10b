"""Sentences of the wide language without a scene, with their meaning, for training on text alone.

A sentence about a word that no category has means nothing: no category at all.
"""

import numpy as np
from numpy.random import Generator

from vlseg_cli.schema.sample import TextSample
from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.knowledge import facts_by_category
from vlseg_cli.synthetic.language.templates import NUMBERS, ORDINALS, SIDES, SIZE_WORDS
from vlseg_cli.synthetic.language.wide.absence import described
from vlseg_cli.synthetic.language.wide.clues import ONE_WORDS, Speaker
from vlseg_cli.synthetic.language.wide.frames import keys, request
from vlseg_cli.synthetic.language.wide.nouns import HYPERNYMS
from vlseg_cli.synthetic.language.wide.outside import outside_noun
from vlseg_cli.synthetic.language.wide.questions import question_text, telling_order
from vlseg_cli.synthetic.rng import choice
from vlseg_cli.synthetic.scene import Scene

_QUESTIONS, _NOTHING = 0.42, 0.08  # shares of samples
_HYPERNYM = 0.06  # share of expressions about 'animals' and the like
_RELATIONS = (*keys("relation"), "between")

# Every value of ``TextSample.position`` in the wide language.
WIDE_POSITIONS: tuple[str, ...] = (
    *keys("position"),
    *(f"{side} half" for side in keys("place")),
    *(f"{ordinal} from the {side}" for ordinal in ORDINALS for side in SIDES),
    *keys("size"),
    *_RELATIONS,
    "all",
    *("not the color", "all but the color"),
    *(f"all but the {word}" for word in ONE_WORDS.values()),
)

_NAMES = tuple(BY_NAME)
_THINGS = tuple(name for name, category in BY_NAME.items() if category.is_thing)
_COLORS = tuple(COLORS)
_NOWHERE = Scene(0, "", np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), ())


def wide_text_sample(rng: Generator) -> TextSample:
    """A random expression or question in trained words."""
    draw = rng.random()
    speaker = Speaker(_NOWHERE, rng)
    if draw < _QUESTIONS:
        rows = facts_by_category("wide")[choice(rng, _NAMES)]
        fact = telling_order(rng, [fact for fact in rows if fact.trained])[0]
        return TextSample(question_text(rng, fact), frozenset(fact.categories))
    if draw < _QUESTIONS + _NOTHING:
        clue = described(speaker, outside_noun(rng, heldout=False))
        return TextSample(request(rng, clue.phrase, clue.plural, heldout=False), frozenset())
    return choice(rng, (_category, _color, _position, _ordinal, _size, _relation, _all, _negation))(
        speaker
    )


def _category(speaker: Speaker) -> TextSample:
    name = choice(speaker.rng, _NAMES)
    table = "category" if BY_NAME[name].is_thing else "stuff"
    return _labeled(speaker, speaker.phrase(table, **speaker.nouns(name)), name)


def _color(speaker: Speaker) -> TextSample:
    name, color, other = _thing(speaker), *_two_colors(speaker)
    slots = speaker.nouns(name, color)
    if speaker.often(0.2):
        return _labeled(speaker, speaker.phrase("color_contrast", **slots, d=other), name, color)
    return _labeled(speaker, speaker.phrase("color", **slots), name, color)


def _position(speaker: Speaker) -> TextSample:
    name, color = _thing(speaker), _maybe_color(speaker)
    slots = speaker.nouns(name, color)
    if speaker.often(0.2):
        place = choice(speaker.rng, keys("place"))
        phrase = speaker.phrase(f"place.{place}", **slots)
        return _labeled(speaker, phrase, name, color, f"{place} half")
    position = choice(speaker.rng, keys("position"))
    return _labeled(speaker, speaker.phrase(f"position.{position}", **slots), name, color, position)


def _ordinal(speaker: Speaker) -> TextSample:
    name, color, rng = _thing(speaker), _maybe_color(speaker), speaker.rng
    index, side = int(rng.random() * len(ORDINALS)), choice(rng, SIDES)
    slots = speaker.nouns(name, color) | {"o": ORDINALS[index], "k": NUMBERS[index], "side": side}
    phrase = speaker.phrase("ordinal", **slots)
    return _labeled(speaker, phrase, name, color, f"{ORDINALS[index]} from the {side}")


def _size(speaker: Speaker) -> TextSample:
    name, color = _thing(speaker), _maybe_color(speaker)
    size = choice(speaker.rng, keys("size"))
    table = "size_two" if speaker.often(0.25) else "size"
    phrase = speaker.phrase(f"{table}.{size}", **speaker.nouns(name, color))
    return _labeled(speaker, phrase, name, color, size)


def _relation(speaker: Speaker) -> TextSample:
    rng = speaker.rng
    name, anchor, color = _thing(speaker), choice(rng, _THINGS), _maybe_color(speaker)
    relation = choice(rng, _RELATIONS)
    size = f"{choice(rng, SIZE_WORDS[choice(rng, tuple(SIZE_WORDS))])} " * speaker.often(0.15)
    target = f"the {size}{speaker.nouns(name, color)['h']}"
    x, y = (
        f"the {speaker.nouns(one, _maybe_color(speaker))['h']}" for one in (anchor, _thing(speaker))
    )
    if relation == "between":
        return _labeled(
            speaker, speaker.phrase("between", t=target, x=x, y=y), name, color, relation, anchor
        )
    phrase = speaker.phrase(f"relation.{relation}", t=target, x=x)
    return _labeled(speaker, phrase, name, color, relation, anchor)


def _all(speaker: Speaker) -> TextSample:
    name, color = _thing(speaker), _maybe_color(speaker)
    table = choice(speaker.rng, ("all", "all", "every", "two", "counted"))
    slots = speaker.nouns(name, color) | {"k": choice(speaker.rng, NUMBERS[1:])}
    phrase = speaker.phrase(table, **slots)
    return _labeled(speaker, phrase, name, color, "all", many=table != "every")


def _negation(speaker: Speaker) -> TextSample:
    name = _thing(speaker)
    table = choice(speaker.rng, ("not_color_one", "not_color_many", "not_one"))
    color, word = choice(speaker.rng, _COLORS), choice(speaker.rng, tuple(ONE_WORDS.values()))
    by_position = table == "not_one" and speaker.often(0.5)
    slots = speaker.nouns(name) | {"c": color, "t": word if by_position else color}
    phrase = speaker.phrase(table, **slots)
    meaning = "not the color" if table == "not_color_one" else "all but the color"
    if by_position:
        return _labeled(speaker, phrase, name, None, f"all but the {word}", many=True)
    return _labeled(speaker, phrase, name, color, meaning, many=table != "not_color_one")


def _thing(speaker: Speaker) -> str:
    """A category of things, seldom a hypernym."""
    if speaker.often(_HYPERNYM):
        return choice(speaker.rng, tuple(HYPERNYMS))
    return choice(speaker.rng, _THINGS)


def _maybe_color(speaker: Speaker) -> str | None:
    return choice(speaker.rng, _COLORS) if speaker.often(0.35) else None


def _two_colors(speaker: Speaker) -> tuple[str, str]:
    first = choice(speaker.rng, _COLORS)
    return first, choice(speaker.rng, [color for color in _COLORS if color != first])


def _labeled(
    speaker: Speaker,
    phrase: str,
    name: str,
    color: str | None = None,
    position: str | None = None,
    anchor: str | None = None,
    many: bool = False,
) -> TextSample:
    plural = many and not phrase.startswith(("every ", "each ", "any "))
    text = request(speaker.rng, phrase, plural, speaker.heldout)
    categories = HYPERNYMS[name].categories if name in HYPERNYMS else frozenset((name,))
    return TextSample(text, categories, color, position, anchor)
