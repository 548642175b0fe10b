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


_FIRST = (
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

_ADDED = (
    _thing("knife", "table knife", plural="knives"),
    _thing("fork", "dinner fork"),
    _thing("spoon", "tablespoon"),
    _thing("plate", "dinner plate"),
    _thing("kettle", "teakettle"),
    _thing("microwave", "microwave oven"),
    _thing("sink", "basin", "washbasin"),
    _thing("toaster"),
    _thing("orange", "tangerine"),
    _thing("cake"),
    _thing("pizza"),
    _thing("carrot"),
    _thing("window", "windowpane"),
    _thing("door", "doorway"),
    _thing("mirror"),
    _thing("vase", "flower vase"),
    _thing("laptop", "computer"),
    _thing("phone", "telephone", "cell phone"),
    _thing("guitar"),
    _thing("backpack", "rucksack"),
    _thing("suitcase", "luggage"),
    _thing("hat", "cap"),
    _thing("shoe", "sneaker"),
    _thing("teddy bear", "teddy", "stuffed bear"),
    _thing("scissors", "shears", plural="scissors"),
    _thing("truck", "lorry"),
    _thing("train", "locomotive"),
    _thing("airplane", "plane", "jet"),
    _thing("motorcycle", "motorbike"),
    _thing("fire hydrant", "hydrant"),
    _thing("stop sign"),
    _thing("bridge", "footbridge"),
    _thing("tent"),
    _thing("kite"),
    _thing("windmill"),
    _thing("pig", "hog"),
    _thing("duck", "mallard"),
    _thing("fish", plural="fish"),
    _thing("elephant"),
    _thing("rabbit", "bunny"),
    _thing("flower", "blossom"),
    _thing("mushroom", "toadstool"),
    _thing("barrel", "cask", "keg"),
    _thing("skateboard"),
    _thing("surfboard"),
    _thing("balloon"),
    _stuff("snow"),
    _stuff("lake", "pond"),
    _stuff("soil", "dirt"),
    _stuff("forest", "woods"),
    _stuff("carpet", "rug"),
    _stuff("ceiling"),
    _stuff("cloud"),
)
CATEGORIES: tuple[Category, ...] = (*_FIRST, *_ADDED)  # in this order: a category id is stored
FIRST_NAMES: tuple[str, ...] = tuple(category.name for category in _FIRST)

BY_NAME: dict[str, Category] = {category.name: category for category in CATEGORIES}

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
