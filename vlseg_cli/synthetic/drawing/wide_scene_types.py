"""The scene types of hands that draw all categories: the first ones with more in them, others."""

from collections.abc import Iterable
from dataclasses import replace

from vlseg_cli.synthetic.drawing.scene_types import SCENE_TYPES, Background, ObjectPrior, SceneType
from vlseg_cli.synthetic.rng import DrawingRng

# Objects by the zone they stand in: 'category' or 'category*scale', as likely as each other.
_KITCHEN = {
    "top": "knife fork spoon plate kettle microwave*.9 toaster orange cake pizza carrot vase",
    "back": "sink door",
    "wall": "window",
    "floor": "backpack shoe",
}
_ROOM = {
    "top": "vase laptop phone hat scissors flower*.9 orange cake",
    "floor": "guitar backpack suitcase shoe balloon rabbit hat skateboard",
    "wall": "window mirror*.9",
    "back": "door mirror*1.2",
    "pet": "teddy_bear rabbit",
}
_STREET = {
    "road": "truck truck motorcycle train*.9",
    "pavement": "fire_hydrant stop_sign suitcase backpack",
    "front": "skateboard motorcycle fire_hydrant backpack shoe",
    "sky": "airplane balloon*.6 kite",
    "row": "windmill*.8 bridge*.7",
}
_FIELD = {
    "ground": "pig duck rabbit elephant flower mushroom barrel tent truck cow sheep horse",
    "far": "windmill train*.7 tent*.9 bridge*.7",
    "sky": "airplane balloon kite",
}
_BEACH = {
    "ground": "surfboard hat shoe tent barrel backpack skateboard",
    "sea": "duck*.8 surfboard*.5 boat*.8 fish*.8",
    "sky": "kite airplane balloon",
}
_HARBOUR = {
    "ground": "barrel barrel truck fish suitcase motorcycle backpack fire_hydrant",
    "sea": "duck*.8 fish*.7 surfboard*.4",
    "shore": "bridge windmill*.7 train*.5",
    "sky": "airplane kite balloon*.6",
}
_GARDEN = {
    "ground": "flower flower rabbit duck teddy_bear tent hat shoe barrel skateboard mushroom",
    "top": "cake pizza orange plate kettle vase fork knife spoon carrot flower",
    "sky": "balloon kite*.7",
}
_SNOW = {
    "ground": "person dog tree house tent hat rabbit bird barrel bench truck car horse backpack",
    "far": "tree*.8 house*.8 windmill*.7 lighthouse*.7",
    "sky": "airplane kite bird",
}
_LAKE = {
    "lake": "boat*.7 duck duck surfboard*.5 fish*.8",
    "ground": "tent person bench bicycle dog rabbit elephant cow flower backpack duck umbrella",
    "far": "tree*.8 house*.7 bridge*.9 windmill*.7 train*.6",
    "sky": "bird kite balloon airplane",
}
_FOREST = {
    "ground": "mushroom mushroom rabbit tent backpack tree flower person bird cat elephant pig"
    " horse barrel bench motorcycle",
    "far": "tree house*.6 bridge*.6",
    "sky": "bird airplane",
}
_MARKET = {
    "ground": "table table tent barrel bucket person bicycle flower umbrella*.8 guitar suitcase"
    " plant",
    "top": "apple orange banana carrot fish pizza cake bottle bowl plate hat shoe vase teddy_bear"
    " book scissors knife kettle pot cup",
    "far": "house*.9 tree*.9",
}
_AIR = {
    "air": "airplane airplane kite kite balloon balloon bird bird",
    "ground": "person*.7 house*.6 tree*.6 windmill*.6 tent*.7",
}
_UNDERWATER = {"water": "fish fish fish fish fish boat", "ground": "barrel bottle shoe bucket pot"}


def _priors(zones: dict[str, str]) -> Iterable[ObjectPrior]:
    for zone, words in zones.items():
        for word in words.split():
            name, _, scale = word.partition("*")
            variant = {"sky": 1, "air": 1, "ground": 0}.get(zone) if name == "bird" else None
            category = name.replace("_", " ")
            yield ObjectPrior(category, zone, 1.0, 0.06, variant, float(scale or 1))


def _more(name: str, zones: dict[str, str], *stuff: str) -> SceneType:
    """A first scene type with more categories."""
    first = SCENE_TYPES[name]

    def background(rng: DrawingRng) -> Background:
        known = first.background(rng)
        levels = known.levels
        if "ceiling" in stuff:
            levels = (*levels, rng.choice((0.0, rng.uniform(0.05, 0.13))))
        return replace(known, levels=levels, stuff=(*known.stuff, *stuff))

    return SceneType(background, (*first.priors, *_priors(zones)))


def _land(grounds: str, zones: dict[str, str], **others: float) -> SceneType:
    """Open land. grounds: one is chosen. others: how likely each other stuff category is."""

    def background(rng: DrawingRng) -> Background:
        horizon = rng.uniform(0.28, 0.48)
        shore = horizon + rng.uniform(0.16, 0.3)
        stuff = ["sky", rng.choice(grounds.split())]
        stuff += [name for name, chance in others.items() if rng.bernoulli(chance)]
        first = shore if "lake" in stuff else horizon
        ranges = {
            "sky": (0.08, horizon - 0.05),
            "far": (horizon + 0.01, horizon + 0.06),
            "lake": (horizon + 0.07, shore - 0.02),
            "ground": (first + 0.08, 0.98),
        }
        return Background((horizon, shore), (*stuff, "cloud"), ranges, horizon, 0.45)

    return SceneType(background, tuple(_priors(zones)))


def _air(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.78, 0.95)
    ranges = {"air": (0.18, horizon), "ground": (horizon + 0.02, 0.99)}
    stuff = ("sky", rng.choice(("grass", "soil", "snow")), "cloud")
    return Background((horizon, 1.0), stuff, ranges, horizon, 0.8)


def _underwater(rng: DrawingRng) -> Background:
    floor = rng.uniform(0.72, 0.9)
    ranges = {"water": (0.15, floor), "ground": (floor + 0.02, 0.99)}
    return Background((floor,), ("sea", "sand"), ranges, 0.0, 0.9)


WIDE_SCENE_TYPES: dict[str, SceneType] = {
    "kitchen": _more("kitchen", _KITCHEN, "ceiling", "carpet"),
    "room": _more("room", _ROOM, "ceiling", "carpet"),
    "street": _more("street", _STREET, "cloud"),
    "field": _more("field", _FIELD, "cloud"),
    "beach": _more("beach", _BEACH, "cloud"),
    "harbour": _more("harbour", _HARBOUR, "cloud"),
    "garden": _more("garden", _GARDEN, "cloud"),
    "snow": _land("snow", _SNOW, mountain=0.5, forest=0.4, road=0.2),
    "lake": _land("grass grass soil snow", _LAKE, lake=1.0, mountain=0.4, forest=0.4),
    "forest": _land("grass soil", _FOREST, forest=1.0, road=0.3),
    "farm": _land("grass", _FIELD, soil=1.0, forest=0.3, mountain=0.2),
    "market": _land("soil pavement", _MARKET, forest=0.2),
    "air": SceneType(_air, tuple(_priors(_AIR))),
    "underwater": SceneType(_underwater, tuple(_priors(_UNDERWATER))),
}
