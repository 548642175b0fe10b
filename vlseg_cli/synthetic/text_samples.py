"""Sentences without images, for training the language model alone.

The grammar and the knowledge table are those of scenes, the facts are random; each text comes with
its meaning as labels.
"""

from numpy.random import Generator

from vlseg_cli.schema.sample import TextSample
from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.hands import DEFAULT_HAND, NAMES, hand_named
from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language import templates
from vlseg_cli.synthetic.language.knowledge import facts_by_category
from vlseg_cli.synthetic.language.noun_phrases import noun
from vlseg_cli.synthetic.language.wide.texts import WIDE_POSITIONS, wide_text_sample
from vlseg_cli.synthetic.reasoning import question_text
from vlseg_cli.synthetic.rng import choice

# Every value of ``TextSample.position``.
POSITIONS: tuple[str, ...] = (
    *templates.POSITION,
    *(f"{ordinal} from the {side}" for ordinal in templates.ORDINALS for side in templates.SIDES),
    *templates.SIZE,
    *templates.RELATION,
    "all",
)


def positions_of(hand: str) -> tuple[str, ...]:
    """Every value of ``TextSample.position`` in the language of a hand."""
    return WIDE_POSITIONS if hand_named(hand).language == "wide" else POSITIONS


_THINGS = tuple(name for name in NAMES if BY_NAME[name].is_thing)
_COLORS = tuple(COLORS)
_QUESTIONS = 0.45  # share of samples that are questions


def text_sample(rng: Generator, hand: str = DEFAULT_HAND) -> TextSample:
    """A random expression or question in the language of a hand (trained wordings only)."""
    if hand_named(hand).language == "wide":
        return wide_text_sample(rng)
    if rng.random() < _QUESTIONS:
        fact = choice(rng, facts_by_category()[choice(rng, NAMES)])
        return TextSample(question_text(rng, fact), frozenset(fact.categories))
    return choice(rng, (_category, _color, _position, _ordinal, _size, _relation, _all))(rng)


def _category(rng: Generator) -> TextSample:
    name = choice(rng, NAMES)
    phrase = phrases.category_phrase(rng, noun(rng, name), BY_NAME[name].is_thing)
    return _labeled(rng, phrase, name)


def _color(rng: Generator) -> TextSample:
    name, color = choice(rng, _THINGS), choice(rng, _COLORS)
    return _labeled(rng, phrases.color_phrase(rng, noun(rng, name), color), name, color)


def _position(rng: Generator) -> TextSample:
    name, color = choice(rng, _THINGS), _optional_color(rng)
    position = choice(rng, tuple(templates.POSITION))
    phrase = phrases.position_phrase(rng, noun(rng, name), color, position)
    return _labeled(rng, phrase, name, color, position)


def _ordinal(rng: Generator) -> TextSample:
    name, color = choice(rng, _THINGS), _optional_color(rng)
    index, side = int(rng.random() * len(templates.ORDINALS)), choice(rng, templates.SIDES)
    phrase = phrases.ordinal_phrase(rng, noun(rng, name), color, (index, side))
    return _labeled(rng, phrase, name, color, f"{templates.ORDINALS[index]} from the {side}")


def _size(rng: Generator) -> TextSample:
    name, color, size = (
        choice(rng, _THINGS),
        _optional_color(rng),
        choice(rng, tuple(templates.SIZE)),
    )
    phrase = phrases.size_phrase(rng, noun(rng, name), color, size)
    return _labeled(rng, phrase, name, color, size)


def _relation(rng: Generator) -> TextSample:
    name, anchor, color = choice(rng, _THINGS), choice(rng, _THINGS), _optional_color(rng)
    relation = choice(rng, tuple(templates.RELATION))
    adjectives = [choice(rng, templates.SIZE_WORDS[choice(rng, tuple(templates.SIZE))])]
    adjectives = (adjectives if rng.random() < 0.2 else []) + ([color] if color else [])
    other = phrases.head(noun(rng, anchor), _optional_color(rng))
    phrase = phrases.relation_phrase(rng, adjectives, noun(rng, name), relation, other)
    return _labeled(rng, phrase, name, color, relation, anchor)


def _all(rng: Generator) -> TextSample:
    name, color, count = choice(rng, _THINGS), _optional_color(rng), 2 + int(rng.random() * 4)
    if rng.random() < 0.3:
        phrase = phrases.every_phrase(rng, noun(rng, name), color)
        return _labeled(rng, phrase, name, color, "all")
    phrase = phrases.all_phrase(rng, noun(rng, name), color, count)
    return _labeled(rng, phrase, name, color, "all", many=True)


def _optional_color(rng: Generator) -> str | None:
    return choice(rng, _COLORS) if rng.random() < 0.4 else None


def _labeled(
    rng: Generator,
    phrase: str,
    category: str,
    color: str | None = None,
    position: str | None = None,
    anchor: str | None = None,
    many: bool = False,
) -> TextSample:
    text = phrases.request(rng, phrase, many)
    return TextSample(text, frozenset((category,)), color, position, anchor)
