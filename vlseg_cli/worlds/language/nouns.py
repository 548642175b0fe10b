"""Nouns: synonyms that are safe in a scene, plurals, articles."""

from collections.abc import Container

from numpy.random import Generator

from vlseg_cli.worlds.categories import BY_NAME, Category
from vlseg_cli.worlds.language.chance import pick

# Words that could also mean something of another category when that is in the picture.
ALSO_MEANS: dict[str, tuple[str, ...]] = {
    "light": ("traffic light",),
    "seat": ("sofa", "bench"),
    "building": ("lighthouse",),
    "plant": ("tree", "grass"),
    "screen": ("umbrella",),
    "dish": ("pot", "cup"),
}
_PLAIN_NAME = 0.75  # share of nouns that are the category's own name


def noun(rng: Generator, category: str, present: Container[str] = ()) -> str:
    """A word for the category that can mean no other category in ``present``."""
    words = BY_NAME[category].words
    if not words or (rng.random() < _PLAIN_NAME and not clashes(category, present)):
        return category
    word = pick(rng, words)
    return category if clashes(word, present) else word


def clashes(word: str, present: Container[str]) -> bool:
    """Whether the word could also mean something of another category that is present."""
    return any(other in present for other in ALSO_MEANS.get(word, ()))


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
    """'a' or 'an', whichever stands before the word."""
    return "an" if word[0] in "aeiou" else "a"
