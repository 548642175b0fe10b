"""Nouns of the wide language: names, synonyms, and words for groups such as 'animal'."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.random import Generator

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.noun_phrases import clashes, plural
from vlseg_cli.synthetic.rng import choice
from vlseg_cli.synthetic.scene import Group, Scene, SceneItem, by_category, by_color, thing_groups

_PLAIN_NAME = 0.6  # share of nouns that are the category's own name
_PLURALS = {"luggage": "luggage", "shears": "shears", "fruit": "fruits"}
# Synonyms beyond those of the table of categories.
_MORE_WORDS: dict[str, tuple[str, ...]] = {
    "fridge": ("icebox",),
    "table": ("dining table",),
    "cup": ("coffee cup", "tea cup"),
    "pot": ("cooking pot",),
    "sofa": ("settee",),
    "lamp": ("light fixture",),
    "tv": ("tv set",),
    "clock": ("wall clock",),
    "picture": ("framed picture",),
    "cat": ("kitty",),
    "dog": ("hound",),
    "bench": ("park bench",),
    "boat": ("ship",),
}


@dataclass(frozen=True, slots=True)
class Hypernym:
    """A word for several categories; unclear: those about which people would disagree."""

    categories: frozenset[str]
    unclear: frozenset[str]


def _hypernym(categories: str, unclear: str = "") -> Hypernym:
    return Hypernym(frozenset(categories.split(", ")), frozenset(unclear.split(", ")) - {""})


_ANIMALS = "cat, dog, cow, sheep, horse, bird, pig, duck, fish, elephant, rabbit"
_VEHICLES = "car, bus, tractor, truck, train, motorcycle"
HYPERNYMS: Mapping[str, Hypernym] = MappingProxyType(
    {
        "animal": _hypernym(_ANIMALS, "person, teddy bear"),
        "pet": _hypernym("cat, dog, rabbit", "bird, fish, horse, duck, pig"),
        "farm animal": _hypernym("cow, sheep, horse, pig", "duck, rabbit, cat, dog, bird"),
        "fruit": _hypernym("apple, banana, orange", "carrot, mushroom"),
        "vehicle": _hypernym(
            _VEHICLES, "bicycle, boat, airplane, skateboard, surfboard, balloon, kite"
        ),
        "piece of furniture": _hypernym(
            "table, chair, sofa, bed, bookshelf",
            "bench, lamp, fridge, oven, tv, mirror, sink, clock, picture, carpet, microwave",
        ),
        "building": _hypernym("house, lighthouse, windmill", "bridge, tent"),
        "piece of cutlery": _hypernym("knife, fork, spoon", "plate, scissors"),
        "seat": _hypernym("chair, sofa, bench", "bed, car, bus, horse, bicycle, motorcycle"),
        "kitchen machine": _hypernym(
            "fridge, oven, microwave, toaster, kettle", "sink, pot, clock, tv"
        ),
    }
)
_HYPERNYM_PLURALS = {"piece of furniture": "pieces of furniture"} | {
    "piece of cutlery": "pieces of cutlery"
}


def words_of(category: str) -> tuple[str, ...]:
    """The name of a category and all its synonyms."""
    return (category, *BY_NAME[category].words, *_MORE_WORDS.get(category, ()))


def noun(rng: Generator, category: str, present: Container[str] = ()) -> tuple[str, str]:
    """A word for a category or hypernym and its plural; it denotes nothing else in ``present``."""
    if category in HYPERNYMS:
        return category, plural_of(category)
    words = _clear_words(category, present)
    plain = words[0] == category and rng.random() < _PLAIN_NAME
    word = category if plain else choice(rng, words)
    return word, plural_of(word)


def has_noun(category: str, present: Container[str]) -> bool:
    """Whether some word denotes the category and nothing else in ``present``."""
    return bool(_clear_words(category, present))


def _clear_words(category: str, present: Container[str]) -> list[str]:
    return [word for word in words_of(category) if not _denotes_others(word, category, present)]


def plural_of(word: str) -> str:
    """'cups' for 'cup', also for hypernyms."""
    return _HYPERNYM_PLURALS.get(word) or _PLURALS.get(word) or plural(word)


def _denotes_others(word: str, category: str, present: Container[str]) -> bool:
    """Whether the word also denotes another category or a group of them that is present."""
    if clashes(word, present):
        return True
    other = HYPERNYMS.get(word)
    return other is not None and any(
        one in present for one in (other.categories | other.unclear) - {category}
    )


def kin_of(names: Iterable[str]) -> set[str]:
    """The categories that share a hypernym with one of the names."""
    wanted = set(names)
    groups = (one.categories for one in HYPERNYMS.values() if not one.categories.isdisjoint(wanted))
    return set().union(*groups)


def nameable(scene: Scene) -> dict[str, tuple[SceneItem, ...]]:
    """Items of each visible category that has a word of its own."""
    present = by_category(scene)
    return {name: items for name, items in present.items() if has_noun(name, present)}


def wide_groups(scene: Scene, least: int = 1) -> list[Group]:
    """``thing_groups``, and those of hypernyms that comprise at least two present categories."""
    present = by_category(scene)
    groups = [one for one in thing_groups(scene, least) if has_noun(one.category, present)]
    for word, one in HYPERNYMS.items():
        names = [name for name in present if name in one.categories]
        if len(names) < 2 or any(name in present for name in one.unclear):
            continue
        items = tuple(item for name in names for item in present[name])
        groups.append(Group(word, None, items))
        colors = by_color(items)
        if len(colors) > 1:
            groups += [Group(word, c, i) for c, i in colors.items() if len(i) >= least]
    return groups
