"""The scene types: how the background is divided, which categories occur, how often and where."""

from collections.abc import Callable
from dataclasses import dataclass

from vlseg_cli.synthetic.rng import DrawingRng


@dataclass(frozen=True, slots=True)
class ObjectPrior:
    """How a category occurs in a scene type. zone: a key of ``Background.zones``, 'top' or 'pet'.

    weight: relative frequency among random additions and groups. probability: of being placed
    first. variant: index into ``Drawing.aspects``, None for any. scale: factor on its usual height.
    """

    category: str
    zone: str
    weight: float
    probability: float = 0.0
    variant: int | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Background:
    """A random division of the image into stuff regions; all lengths are shares of its height.

    levels: dividing lines. stuff: category names in id order. zones: by name the range of objects'
    lower edges. horizon: where objects are smallest; far_scale: their scale there.
    """

    levels: tuple[float, ...]
    stuff: tuple[str, ...]
    zones: dict[str, tuple[float, float]]
    horizon: float
    far_scale: float

    @property
    def floor(self) -> tuple[float, float]:
        """The zone of objects that have none of their own."""
        return self.zones["floor" if "floor" in self.zones else "ground"]


@dataclass(frozen=True, slots=True)
class SceneType:
    """How to draw a background, and the categories that may occur."""

    background: Callable[[DrawingRng], Background]
    priors: tuple[ObjectPrior, ...]


def _indoor(rng: DrawingRng) -> Background:
    line = rng.uniform(0.56, 0.74)
    zones = {"wall": (0.1, line - 0.14), "back": (line, line + 0.1), "floor": (line + 0.1, 0.97)}
    return Background((line,), ("wall", "floor"), zones, line, 0.9)


def _street(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.3, 0.42)
    kerb = horizon + rng.uniform(0.08, 0.16)
    verge = kerb + rng.uniform(0.09, 0.15)
    near = rng.uniform(0.86, 0.92) if rng.bernoulli(0.5) else 1.0
    stuff = ("sky", "pavement", "road", "grass")
    zones = {
        "sky": (0.08, horizon - 0.05),
        "row": (kerb - 0.02, kerb + 0.03),
        "pavement": (kerb + 0.03, verge),
        "road": (verge + 0.07, min(near, 0.95)),
        "front": (0.93, 1.0),
    }
    return Background((horizon, kerb, verge, near), stuff, zones, horizon, 0.5)


def _field(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.28, 0.45)
    stuff = ["sky", "grass"]
    stuff += ["mountain"] if rng.bernoulli(0.5) else []
    stuff += ["road"] if rng.bernoulli(0.4) else []
    zones = {
        "sky": (0.08, horizon - 0.05),
        "far": (horizon + 0.02, horizon + 0.15),
        "ground": (horizon + 0.08, 0.98),
    }
    return Background((horizon,), tuple(stuff), zones, horizon, 0.42)


def _beach(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.24, 0.36)
    shore = horizon + rng.uniform(0.14, 0.24)
    stuff = ("sky", "sea", "sand") + (("mountain",) if rng.bernoulli(0.35) else ())
    zones = {
        "sky": (0.08, horizon - 0.05),
        "sea": (horizon + 0.05, shore - 0.01),
        "ground": (shore + 0.07, 0.98),
    }
    return Background((horizon, shore), stuff, zones, horizon, 0.45)


def _harbour(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.26, 0.4)
    quay = rng.uniform(0.66, 0.76)
    stuff = ("sky", "sea", "pavement") + (("mountain",) if rng.bernoulli(0.4) else ())
    zones = {
        "sky": (0.08, horizon - 0.05),
        "sea": (horizon + 0.07, quay - 0.01),
        "shore": (horizon + 0.0, horizon + 0.03),
        "ground": (quay + 0.05, 0.98),
    }
    return Background((horizon, quay), stuff, zones, horizon, 0.5)


def _garden(rng: DrawingRng) -> Background:
    horizon = rng.uniform(0.3, 0.4)
    stuff, foot = ["sky", "grass"], horizon
    if rng.bernoulli(0.6):
        stuff, foot = [*stuff, "wall"], horizon + rng.uniform(0.08, 0.14)
    stuff += ["pavement"] if rng.bernoulli(0.5) else []
    zones = {
        "sky": (0.08, horizon - 0.05),
        "far": (foot, foot + 0.08),
        "ground": (foot + 0.1, 0.98),
    }
    return Background((horizon, foot), tuple(stuff), zones, horizon, 0.55)


SCENE_TYPES: dict[str, SceneType] = {
    "kitchen": SceneType(
        _indoor,
        (
            ObjectPrior("fridge", "back", 0.3, 0.9),
            ObjectPrior("oven", "back", 0.3, 0.65),
            ObjectPrior("table", "floor", 0.3, 0.6),
            ObjectPrior("chair", "floor", 1.5, 0.25),
            ObjectPrior("cup", "top", 1.5),
            ObjectPrior("bottle", "top", 1.5),
            ObjectPrior("bowl", "top", 1.3),
            ObjectPrior("pot", "top", 1.3),
            ObjectPrior("apple", "top", 1.3),
            ObjectPrior("banana", "top", 1.3),
            ObjectPrior("clock", "wall", 0.8),
            ObjectPrior("picture", "wall", 0.6),
            ObjectPrior("plant", "floor", 0.3),
            ObjectPrior("lamp", "top", 0.2, variant=1, scale=0.5),
            ObjectPrior("cat", "pet", 0.5),
            ObjectPrior("dog", "pet", 0.4),
            ObjectPrior("person", "floor", 0.4, scale=1.2),
        ),
    ),
    "room": SceneType(
        _indoor,
        (
            ObjectPrior("sofa", "back", 0.6, 0.5),
            ObjectPrior("bed", "back", 0.9, 0.4),
            ObjectPrior("bookshelf", "back", 0.9, 0.4),
            ObjectPrior("tv", "top", 1.2, 0.2),
            ObjectPrior("table", "floor", 0.5, 0.45),
            ObjectPrior("lamp", "back", 0.8, variant=0),
            ObjectPrior("lamp", "top", 0.8, variant=1, scale=0.5),
            ObjectPrior("chair", "floor", 1.0),
            ObjectPrior("plant", "floor", 0.6),
            ObjectPrior("plant", "top", 0.5, scale=0.75),
            ObjectPrior("clock", "wall", 0.8),
            ObjectPrior("picture", "wall", 1.4),
            ObjectPrior("cat", "pet", 0.9),
            ObjectPrior("dog", "pet", 0.8),
            ObjectPrior("ball", "floor", 0.8),
            ObjectPrior("book", "top", 1.6),
            ObjectPrior("cup", "top", 0.6),
            ObjectPrior("bowl", "top", 0.2),
            ObjectPrior("person", "floor", 0.6, scale=1.2),
            ObjectPrior("umbrella", "floor", 0.15, scale=0.7),
        ),
    ),
    "street": SceneType(
        _street,
        (
            ObjectPrior("house", "row", 1.4, 0.7, scale=1.25),
            ObjectPrior("tree", "pavement", 0.8, 0.2),
            ObjectPrior("bus", "road", 1.2, 0.35),
            ObjectPrior("car", "road", 1.8, 0.45),
            ObjectPrior("bicycle", "road", 0.9),
            ObjectPrior("bicycle", "front", 0.5),
            ObjectPrior("traffic light", "pavement", 1.4, 0.2),
            ObjectPrior("bench", "pavement", 1.0),
            ObjectPrior("person", "pavement", 1.0),
            ObjectPrior("person", "front", 0.6, scale=0.85),
            ObjectPrior("dog", "pavement", 0.4),
            ObjectPrior("dog", "front", 0.3),
            ObjectPrior("bird", "sky", 0.4, variant=1),
            ObjectPrior("umbrella", "pavement", 0.15),
        ),
    ),
    "field": SceneType(
        _field,
        (
            ObjectPrior("tree", "far", 1.0, 0.4),
            ObjectPrior("tree", "ground", 0.5),
            ObjectPrior("house", "far", 0.8, 0.2, scale=0.9),
            ObjectPrior("cow", "ground", 1.6, 0.2),
            ObjectPrior("sheep", "ground", 1.6, 0.2),
            ObjectPrior("horse", "ground", 1.5, 0.2),
            ObjectPrior("tractor", "ground", 1.3, 0.2),
            ObjectPrior("person", "ground", 0.7),
            ObjectPrior("dog", "ground", 0.5),
            ObjectPrior("bird", "sky", 0.5, variant=1),
            ObjectPrior("bird", "ground", 0.4, variant=0),
            ObjectPrior("bicycle", "ground", 0.3),
        ),
    ),
    "beach": SceneType(
        _beach,
        (
            ObjectPrior("umbrella", "ground", 1.6, 0.5),
            ObjectPrior("ball", "ground", 1.5, scale=1.1),
            ObjectPrior("bucket", "ground", 1.6, 0.3, scale=1.1),
            ObjectPrior("person", "ground", 1.2, 0.3),
            ObjectPrior("boat", "sea", 1.4, 0.3),
            ObjectPrior("bird", "sky", 0.6, variant=1),
            ObjectPrior("bird", "ground", 0.6, variant=0),
            ObjectPrior("dog", "ground", 0.6),
            ObjectPrior("chair", "ground", 0.5),
            ObjectPrior("bottle", "ground", 0.3),
            ObjectPrior("book", "ground", 0.2),
        ),
    ),
    "harbour": SceneType(
        _harbour,
        (
            ObjectPrior("boat", "sea", 2.4, 0.8),
            ObjectPrior("lighthouse", "shore", 0.6, 0.35, scale=0.75),
            ObjectPrior("lighthouse", "ground", 0.3, 0.1, scale=0.8),
            ObjectPrior("house", "shore", 0.6, 0.1, scale=0.8),
            ObjectPrior("person", "ground", 1.0),
            ObjectPrior("bench", "ground", 1.0),
            ObjectPrior("bucket", "ground", 0.8),
            ObjectPrior("bicycle", "ground", 0.8),
            ObjectPrior("bird", "ground", 0.7, variant=0),
            ObjectPrior("bird", "sky", 0.6, variant=1),
            ObjectPrior("dog", "ground", 0.4),
            ObjectPrior("cat", "ground", 0.4),
        ),
    ),
    "garden": SceneType(
        _garden,
        (
            ObjectPrior("house", "far", 0.4, 0.3),
            ObjectPrior("tree", "far", 0.8, 0.3),
            ObjectPrior("tree", "ground", 0.4),
            ObjectPrior("bench", "ground", 0.9, 0.2),
            ObjectPrior("table", "ground", 0.5, 0.3),
            ObjectPrior("chair", "ground", 1.0),
            ObjectPrior("plant", "ground", 1.2),
            ObjectPrior("ball", "ground", 0.9),
            ObjectPrior("cat", "pet", 0.8),
            ObjectPrior("dog", "pet", 0.8),
            ObjectPrior("person", "ground", 0.8),
            ObjectPrior("bucket", "ground", 0.7),
            ObjectPrior("umbrella", "ground", 0.5),
            ObjectPrior("bird", "ground", 0.6, variant=0),
            ObjectPrior("bird", "sky", 0.3, variant=1),
            ObjectPrior("apple", "top", 0.7),
            ObjectPrior("bowl", "top", 0.4),
            ObjectPrior("cup", "top", 0.6),
            ObjectPrior("bottle", "top", 0.5),
            ObjectPrior("bicycle", "ground", 0.3),
        ),
    ),
}
