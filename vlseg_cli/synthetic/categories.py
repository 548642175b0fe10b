"""The categories of synthetic scenes: names, synonyms, things and stuff; and the color words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """One category. words: synonyms, in the singular."""

    name: str
    is_thing: bool
    words: tuple[str, ...] = ()
    plural: str = ""

    @property
    def plural_name(self) -> str:
        """'cups' for 'cup'."""
        return self.plural or self.name + "s"


def _thing(name: str, *words: str, plural: str = "") -> Category:
    return Category(name, True, words, plural)


def _stuff(name: str, *words: str) -> Category:
    return Category(name, False, words, name)


CATEGORIES: tuple[Category, ...] = (
    _thing("fridge", "refrigerator"),
    _thing("oven", "stove", "cooker"),
    _thing("table", "desk"),
    _thing("chair", "seat"),
    _thing("cup", "mug"),
    _thing("bottle", "flask"),
    _thing("bowl", "dish", plural="bowls"),
    _thing("pot", "saucepan"),
    _thing("apple"),
    _thing("banana"),
    _thing("sofa", "couch"),
    _thing("bed"),
    _thing("lamp", "light"),
    _thing("tv", "television", "screen"),
    _thing("bookshelf", "bookcase", plural="bookshelves"),
    _thing("clock"),
    _thing("picture", "painting"),
    _thing("plant", "houseplant"),
    _thing("cat", "kitten"),
    _thing("dog", "puppy"),
    _thing("ball"),
    _thing("book"),
    _thing("car", "automobile"),
    _thing("bus", "coach", plural="buses"),
    _thing("bicycle", "bike"),
    _thing("traffic light", "stoplight"),
    _thing("bench", plural="benches"),
    _thing("person", "human", plural="people"),
    _thing("house", "building"),
    _thing("tree"),
    _thing("cow"),
    _thing("sheep", plural="sheep"),
    _thing("horse", "pony"),
    _thing("tractor"),
    _thing("bird"),
    _thing("boat", "sailboat"),
    _thing("umbrella", "parasol"),
    _thing("bucket", "pail"),
    _thing("lighthouse"),
    _stuff("wall"),
    _stuff("floor"),
    _stuff("sky"),
    _stuff("grass", "meadow"),
    _stuff("road", "street"),
    _stuff("pavement", "sidewalk"),
    _stuff("sand"),
    _stuff("sea", "water"),
    _stuff("mountain"),
)

BY_NAME: dict[str, Category] = {category.name: category for category in CATEGORIES}
NAMES: tuple[str, ...] = tuple(BY_NAME)
STUFF: tuple[bool, ...] = tuple(not category.is_thing for category in CATEGORIES)

# Color words with their RGB; drawings vary it without coming closer to another word's.
COLORS: dict[str, tuple[int, int, int]] = {
    "red": (205, 45, 45),
    "orange": (235, 135, 35),
    "yellow": (235, 210, 60),
    "green": (60, 155, 70),
    "blue": (50, 95, 200),
    "purple": (135, 70, 170),
    "pink": (235, 140, 175),
    "brown": (125, 80, 45),
    "white": (238, 238, 235),
    "grey": (140, 142, 145),
    "black": (40, 40, 45),
}
