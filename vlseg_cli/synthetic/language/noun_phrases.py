"""Nouns with unambiguous synonyms, and the noun phrases and requests made from templates."""

from collections.abc import Container, Sequence

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME, Category
from vlseg_cli.synthetic.language import templates
from vlseg_cli.synthetic.rng import choice

# Words that also denote other categories, when these are present.
_AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "light": ("traffic light",),
    "seat": ("sofa", "bench"),
    "building": ("lighthouse",),
    "plant": ("tree", "grass", "flower", "mushroom", "forest"),
    "tree": ("forest",),
    "screen": ("umbrella", "laptop", "phone"),
    "dish": ("pot", "cup", "plate"),
    "bird": ("duck",),
    "ball": ("balloon",),
    "water": ("lake",),
    "grass": ("flower",),
}
_PLAIN_NAME = 0.75  # share of nouns that are the category's own name
_BARE_TARGET = 0.15  # share of relations that begin without an article: 'cup on the table'


def noun(rng: Generator, category: str, present: Container[str] = ()) -> str:
    """A word for the category that denotes no other category in ``present``."""
    words = BY_NAME[category].words
    if not words or (rng.random() < _PLAIN_NAME and not clashes(category, present)):
        return category
    word = choice(rng, words)
    return category if clashes(word, present) else word


def clashes(word: str, present: Container[str]) -> bool:
    """Whether the word also denotes another category that is present."""
    return any(other in present for other in _AMBIGUOUS.get(word, ()))


def plural(word: str) -> str:
    """'cups' for 'cup', for category names and their synonyms alike."""
    category: Category | None = BY_NAME.get(word)
    if category is not None:
        return category.plural_name
    if word.endswith(("s", "sh", "ch", "x")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def article(word: str) -> str:
    """'a' or 'an'."""
    return "an" if word[0] in "aeiou" else "a"


def head(noun: str, color: str | None) -> str:
    """'red cup' or 'cup'."""
    return f"{color} {noun}" if color else noun


def category_phrase(rng: Generator, noun: str, is_thing: bool) -> str:
    """'the cup', 'a dog', 'all of the sky'."""
    template = choice(rng, templates.CATEGORY if is_thing else templates.STUFF)
    return template.format(n=noun, an=article(noun))


def color_phrase(rng: Generator, noun: str, color: str) -> str:
    """'the red cup', 'the cup that is red'."""
    return choice(rng, templates.COLOR).format(n=noun, c=color, an=article(color))


def position_phrase(rng: Generator, noun: str, color: str | None, position: str) -> str:
    """'the leftmost red cup'; position is a key of ``templates.POSITION``."""
    return _filled(choice(rng, templates.POSITION[position]), noun, color)


def size_phrase(rng: Generator, noun: str, color: str | None, size: str) -> str:
    """'the smallest red cup'; size is 'big' or 'small'."""
    return _filled(choice(rng, templates.SIZE[size]), noun, color)


def ordinal_phrase(rng: Generator, noun: str, color: str | None, ordinal: tuple[int, str]) -> str:
    """'the second red cup from the left' for ordinal (1, 'left'), an index from 0 and a side."""
    index, side = ordinal
    return choice(rng, templates.ORDINAL).format(
        h=head(noun, color),
        hs=head(plural(noun), color),
        o=templates.ORDINALS[index],
        k=templates.NUMBERS[index],
        side=side,
    )


def relation_phrase(
    rng: Generator, adjectives: Sequence[str], noun: str, relation: str, anchor: str
) -> str:
    """'the small red car left of the green tree'; anchor is a bare head like 'green tree'."""
    target = " ".join((*adjectives, noun))
    target = target if rng.random() < _BARE_TARGET else f"the {target}"
    return choice(rng, templates.RELATION[relation]).format(t=target, x=f"the {anchor}")


def all_phrase(rng: Generator, noun: str, color: str | None, count: int) -> str:
    """'all the red cups', 'both cups': plural; count: number of targets, at least 1."""
    options = templates.ALL
    if count == 2 and rng.random() < 0.3:
        options = templates.ALL_TWO
    elif 2 <= count <= len(templates.NUMBERS) and rng.random() < 0.3:
        options = templates.ALL_COUNTED
    number = templates.NUMBERS[min(count, len(templates.NUMBERS)) - 1]
    return _filled(choice(rng, options), noun, color, number)


def every_phrase(rng: Generator, noun: str, color: str | None) -> str:
    """'every red cup': all targets in the singular."""
    return _filled(choice(rng, templates.ALL_EVERY), noun, color)


def request(rng: Generator, phrase: str, many: bool) -> str:
    """A request: 'show me the red cup', 'where are the cups?'; many: the phrase is plural."""
    options = templates.ASK
    if (many or phrase.startswith("the ")) and rng.random() < 0.15:
        options = templates.ASK_MANY if many else templates.ASK_ONE
    return choice(rng, options).format(np=phrase)


def _filled(template: str, noun: str, color: str | None, number: str = "") -> str:
    return template.format(h=head(noun, color), hs=head(plural(noun), color), k=number)
