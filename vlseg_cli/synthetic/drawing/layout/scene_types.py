"""The places: how their backdrop is divided, and who is met there, how often and where."""

from collections.abc import Callable
from dataclasses import dataclass

from vlseg_cli.synthetic.drawing.rng import DrawingRng


@dataclass(frozen=True, slots=True)
class Role:
    """A category at a place. zone: where it belongs. chance: how likely it is asked for first.

    weight: how likely it fills up the scene or comes as a crowd. build: index into the drawing's
    ratios, None for any. factor: its usual size there.
    """

    category: str
    zone: str
    weight: float
    chance: float = 0.0
    build: int | None = None
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A drawn division of the backdrop.

    levels: lines, shares of the height. stuff: names in id order. zones: by name the span of foot
    lines, shares of the height. horizon: where things are smallest; far: how small there.
    """

    levels: tuple[float, ...]
    stuff: tuple[str, ...]
    zones: dict[str, tuple[float, float]]
    horizon: float
    far: float


@dataclass(frozen=True, slots=True)
class SceneType:
    """A kind of scene."""

    ground: Callable[[DrawingRng], Ground]
    roles: tuple[Role, ...]


def _indoor(dice: DrawingRng) -> Ground:
    line = dice.between(0.56, 0.74)
    zones = {"wall": (0.1, line - 0.14), "back": (line, line + 0.1), "floor": (line + 0.1, 0.97)}
    return Ground((line,), ("wall", "floor"), zones, line, 0.9)


def _street(dice: DrawingRng) -> Ground:
    horizon = dice.between(0.3, 0.42)
    kerb = horizon + dice.between(0.08, 0.16)
    verge = kerb + dice.between(0.09, 0.15)
    near = dice.between(0.86, 0.92) if dice.chance(0.5) else 1.0
    stuff = ("sky", "pavement", "road", "grass")
    zones = {
        "sky": (0.08, horizon - 0.05),
        "row": (kerb - 0.02, kerb + 0.03),
        "pavement": (kerb + 0.03, verge),
        "road": (verge + 0.07, min(near, 0.95)),
        "front": (0.93, 1.0),
    }
    return Ground((horizon, kerb, verge, near), stuff, zones, horizon, 0.5)


def _field(dice: DrawingRng) -> Ground:
    horizon = dice.between(0.28, 0.45)
    stuff = ["sky", "grass"]
    stuff += ["mountain"] if dice.chance(0.5) else []
    stuff += ["road"] if dice.chance(0.4) else []
    zones = {
        "sky": (0.08, horizon - 0.05),
        "far": (horizon + 0.02, horizon + 0.15),
        "ground": (horizon + 0.08, 0.98),
    }
    return Ground((horizon,), tuple(stuff), zones, horizon, 0.42)


def _beach(dice: DrawingRng) -> Ground:
    horizon = dice.between(0.24, 0.36)
    shore = horizon + dice.between(0.14, 0.24)
    stuff = ("sky", "sea", "sand") + (("mountain",) if dice.chance(0.35) else ())
    zones = {
        "sky": (0.08, horizon - 0.05),
        "sea": (horizon + 0.05, shore - 0.01),
        "ground": (shore + 0.07, 0.98),
    }
    return Ground((horizon, shore), stuff, zones, horizon, 0.45)


def _harbour(dice: DrawingRng) -> Ground:
    horizon = dice.between(0.26, 0.4)
    quay = dice.between(0.66, 0.76)
    stuff = ("sky", "sea", "pavement") + (("mountain",) if dice.chance(0.4) else ())
    zones = {
        "sky": (0.08, horizon - 0.05),
        "sea": (horizon + 0.07, quay - 0.01),
        "shore": (horizon + 0.0, horizon + 0.03),
        "ground": (quay + 0.05, 0.98),
    }
    return Ground((horizon, quay), stuff, zones, horizon, 0.5)


def _garden(dice: DrawingRng) -> Ground:
    horizon = dice.between(0.3, 0.4)
    stuff, foot = ["sky", "grass"], horizon
    if dice.chance(0.6):
        stuff, foot = [*stuff, "wall"], horizon + dice.between(0.08, 0.14)
    stuff += ["pavement"] if dice.chance(0.5) else []
    zones = {
        "sky": (0.08, horizon - 0.05),
        "far": (foot, foot + 0.08),
        "ground": (foot + 0.1, 0.98),
    }
    return Ground((horizon, foot), tuple(stuff), zones, horizon, 0.55)


PLACES: dict[str, SceneType] = {
    "kitchen": SceneType(
        _indoor,
        (
            Role("fridge", "back", 0.3, 0.9),
            Role("oven", "back", 0.3, 0.65),
            Role("table", "floor", 0.3, 0.6),
            Role("chair", "floor", 1.5, 0.25),
            Role("cup", "top", 1.5),
            Role("bottle", "top", 1.5),
            Role("bowl", "top", 1.3),
            Role("pot", "top", 1.3),
            Role("apple", "top", 1.3),
            Role("banana", "top", 1.3),
            Role("clock", "wall", 0.8),
            Role("picture", "wall", 0.6),
            Role("plant", "floor", 0.3),
            Role("lamp", "top", 0.2, build=1, factor=0.5),
            Role("cat", "pet", 0.5),
            Role("dog", "pet", 0.4),
            Role("person", "floor", 0.4, factor=1.2),
        ),
    ),
    "room": SceneType(
        _indoor,
        (
            Role("sofa", "back", 0.6, 0.5),
            Role("bed", "back", 0.9, 0.4),
            Role("bookshelf", "back", 0.9, 0.4),
            Role("tv", "top", 1.2, 0.2),
            Role("table", "floor", 0.5, 0.45),
            Role("lamp", "back", 0.8, build=0),
            Role("lamp", "top", 0.8, build=1, factor=0.5),
            Role("chair", "floor", 1.0),
            Role("plant", "floor", 0.6),
            Role("plant", "top", 0.5, factor=0.75),
            Role("clock", "wall", 0.8),
            Role("picture", "wall", 1.4),
            Role("cat", "pet", 0.9),
            Role("dog", "pet", 0.8),
            Role("ball", "floor", 0.8),
            Role("book", "top", 1.6),
            Role("cup", "top", 0.6),
            Role("bowl", "top", 0.2),
            Role("person", "floor", 0.6, factor=1.2),
            Role("umbrella", "floor", 0.15, factor=0.7),
        ),
    ),
    "street": SceneType(
        _street,
        (
            Role("house", "row", 1.4, 0.7, factor=1.25),
            Role("tree", "pavement", 0.8, 0.2),
            Role("bus", "road", 1.2, 0.35),
            Role("car", "road", 1.8, 0.45),
            Role("bicycle", "road", 0.9),
            Role("bicycle", "front", 0.5),
            Role("traffic light", "pavement", 1.4, 0.2),
            Role("bench", "pavement", 1.0),
            Role("person", "pavement", 1.0),
            Role("person", "front", 0.6, factor=0.85),
            Role("dog", "pavement", 0.4),
            Role("dog", "front", 0.3),
            Role("bird", "sky", 0.4, build=1),
            Role("umbrella", "pavement", 0.15),
        ),
    ),
    "field": SceneType(
        _field,
        (
            Role("tree", "far", 1.0, 0.4),
            Role("tree", "ground", 0.5),
            Role("house", "far", 0.8, 0.2, factor=0.9),
            Role("cow", "ground", 1.6, 0.2),
            Role("sheep", "ground", 1.6, 0.2),
            Role("horse", "ground", 1.5, 0.2),
            Role("tractor", "ground", 1.3, 0.2),
            Role("person", "ground", 0.7),
            Role("dog", "ground", 0.5),
            Role("bird", "sky", 0.5, build=1),
            Role("bird", "ground", 0.4, build=0),
            Role("bicycle", "ground", 0.3),
        ),
    ),
    "beach": SceneType(
        _beach,
        (
            Role("umbrella", "ground", 1.6, 0.5),
            Role("ball", "ground", 1.5, factor=1.1),
            Role("bucket", "ground", 1.6, 0.3, factor=1.1),
            Role("person", "ground", 1.2, 0.3),
            Role("boat", "sea", 1.4, 0.3),
            Role("bird", "sky", 0.6, build=1),
            Role("bird", "ground", 0.6, build=0),
            Role("dog", "ground", 0.6),
            Role("chair", "ground", 0.5),
            Role("bottle", "ground", 0.3),
            Role("book", "ground", 0.2),
        ),
    ),
    "harbour": SceneType(
        _harbour,
        (
            Role("boat", "sea", 2.4, 0.8),
            Role("lighthouse", "shore", 0.6, 0.35, factor=0.75),
            Role("lighthouse", "ground", 0.3, 0.1, factor=0.8),
            Role("house", "shore", 0.6, 0.1, factor=0.8),
            Role("person", "ground", 1.0),
            Role("bench", "ground", 1.0),
            Role("bucket", "ground", 0.8),
            Role("bicycle", "ground", 0.8),
            Role("bird", "ground", 0.7, build=0),
            Role("bird", "sky", 0.6, build=1),
            Role("dog", "ground", 0.4),
            Role("cat", "ground", 0.4),
        ),
    ),
    "garden": SceneType(
        _garden,
        (
            Role("house", "far", 0.4, 0.3),
            Role("tree", "far", 0.8, 0.3),
            Role("tree", "ground", 0.4),
            Role("bench", "ground", 0.9, 0.2),
            Role("table", "ground", 0.5, 0.3),
            Role("chair", "ground", 1.0),
            Role("plant", "ground", 1.2),
            Role("ball", "ground", 0.9),
            Role("cat", "pet", 0.8),
            Role("dog", "pet", 0.8),
            Role("person", "ground", 0.8),
            Role("bucket", "ground", 0.7),
            Role("umbrella", "ground", 0.5),
            Role("bird", "ground", 0.6, build=0),
            Role("bird", "sky", 0.3, build=1),
            Role("apple", "top", 0.7),
            Role("bowl", "top", 0.4),
            Role("cup", "top", 0.6),
            Role("bottle", "top", 0.5),
            Role("bicycle", "ground", 0.3),
        ),
    ),
}
