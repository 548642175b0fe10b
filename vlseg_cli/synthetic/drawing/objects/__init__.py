"""The first drawing of each of the first categories: its painter, size, aspect ratios, colors."""

from collections.abc import Callable
from dataclasses import dataclass

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.canvas import Brush
from vlseg_cli.synthetic.drawing.objects import animals, kitchen, outdoors, room

ANY: tuple[str, ...] = tuple(COLORS)
GOODS = ("white", "white", "white", "grey", "grey", "black", "red", "blue", "green", "yellow")
TIMBER = ("brown", "brown", "brown", "white", "grey", "black", "orange", "green", "blue", "red")
FUR = ("brown", "brown", "black", "white", "grey", "orange")


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a category is drawn.

    height: usual height near the camera, units (square root of the image's area). aspects: ranges
    of width / height, one per variant. colors: color words, repeated to be more frequent. top:
    surface for other objects, (left, right, y) in the unit box. tilt: largest angle, degrees.
    variant: the only one that it shows, None for as many as there are aspects.
    """

    paint: Callable[[Brush], None]
    height: float
    aspects: tuple[tuple[float, float], ...]
    colors: tuple[str, ...] = ANY
    top: tuple[float, float, float] | None = None
    tilt: float = 2.0
    variant: int | None = None


DRAWINGS: dict[str, Drawing] = {
    "fridge": Drawing(kitchen.fridge, 0.58, ((0.44, 0.6),), GOODS, (0.1, 0.9, 0.01), 0.5),
    "oven": Drawing(kitchen.oven, 0.32, ((0.9, 1.2),), GOODS, (0.05, 0.95, 0.05), 0.5),
    "table": Drawing(kitchen.table, 0.28, ((1.5, 2.3),), TIMBER, (0.08, 0.92, 0.09), 1.0),
    "chair": Drawing(kitchen.chair, 0.32, ((0.5, 0.64),)),
    "cup": Drawing(kitchen.cup, 0.095, ((0.95, 1.25),), tilt=3.0),
    "bottle": Drawing(kitchen.bottle, 0.165, ((0.28, 0.4),)),
    "bowl": Drawing(kitchen.bowl, 0.085, ((1.5, 2.1),)),
    "pot": Drawing(kitchen.pot, 0.11, ((1.35, 1.8),)),
    "apple": Drawing(
        kitchen.apple, 0.08, ((0.95, 1.1),), ("red", "red", "green", "yellow"), tilt=12.0
    ),
    "banana": Drawing(
        kitchen.banana, 0.075, ((1.6, 2.1),), ("yellow", "yellow", "yellow", "green"), tilt=10.0
    ),
    "sofa": Drawing(room.sofa, 0.29, ((1.7, 2.6),), ANY, (0.15, 0.85, 0.55), 0.5),
    "bed": Drawing(room.bed, 0.3, ((1.9, 2.5),), ANY, (0.3, 0.92, 0.46), 0.5),
    "lamp": Drawing(room.lamp, 0.46, ((0.28, 0.38), (0.7, 0.85))),
    "tv": Drawing(room.tv, 0.23, ((1.4, 1.75),), ("black", "black", "grey", "white"), tilt=0.5),
    "bookshelf": Drawing(room.bookshelf, 0.52, ((0.5, 0.85),), TIMBER, (0.05, 0.95, 0.01), 0.5),
    "clock": Drawing(room.clock, 0.14, ((1.0, 1.0),), tilt=4.0),
    "picture": Drawing(room.picture, 0.18, ((0.75, 0.9), (1.2, 1.5)), tilt=3.0),
    "plant": Drawing(room.plant, 0.24, ((0.65, 0.9),), ("green",)),
    "cat": Drawing(animals.cat, 0.17, ((0.6, 0.75), (1.4, 1.65)), FUR, tilt=3.0),
    "dog": Drawing(animals.dog, 0.19, ((1.2, 1.45),), FUR, tilt=3.0),
    "ball": Drawing(room.ball, 0.1, ((1.0, 1.0),), tilt=20.0),
    "book": Drawing(room.book, 0.09, ((0.62, 0.75), (1.8, 2.4))),
    "car": Drawing(outdoors.car, 0.24, ((1.8, 2.3),), tilt=1.0),
    "bus": Drawing(outdoors.bus, 0.34, ((1.9, 2.5),), tilt=0.5),
    "bicycle": Drawing(outdoors.bicycle, 0.2, ((1.45, 1.7),)),
    "traffic light": Drawing(
        outdoors.traffic_light,
        0.52,
        ((0.2, 0.26),),
        ("black", "black", "grey", "yellow"),
        None,
        1.5,
    ),
    "bench": Drawing(outdoors.bench, 0.17, ((1.7, 2.3),), TIMBER, (0.05, 0.95, 0.58), 1.0),
    "person": Drawing(animals.person, 0.4, ((0.32, 0.42),), tilt=2.5),
    "house": Drawing(outdoors.house, 0.52, ((0.7, 1.05), (1.2, 1.5)), tilt=0.5),
    "tree": Drawing(
        outdoors.tree, 0.56, ((0.5, 0.9),), ("green",) * 6 + ("orange", "yellow"), tilt=3.0
    ),
    "cow": Drawing(
        animals.cow, 0.25, ((1.4, 1.65),), ("white", "white", "brown", "brown", "black")
    ),
    "sheep": Drawing(
        animals.sheep, 0.2, ((1.15, 1.4),), ("white", "white", "white", "grey", "black")
    ),
    "horse": Drawing(
        animals.horse,
        0.32,
        ((1.05, 1.25),),
        ("brown", "brown", "black", "white", "grey"),
        None,
        2.0,
    ),
    "tractor": Drawing(outdoors.tractor, 0.33, ((1.2, 1.45),), tilt=1.0),
    "bird": Drawing(animals.bird, 0.1, ((1.1, 1.35), (1.8, 2.2)), tilt=6.0),
    "boat": Drawing(outdoors.boat, 0.33, ((0.75, 0.95), (1.5, 1.9)), tilt=4.0),
    "umbrella": Drawing(outdoors.umbrella, 0.4, ((0.8, 1.05),), tilt=8.0),
    "bucket": Drawing(outdoors.bucket, 0.12, ((0.8, 1.0),), tilt=4.0),
    "lighthouse": Drawing(
        outdoors.lighthouse,
        0.66,
        ((0.28, 0.38),),
        ("red", "red", "white", "blue", "black"),
        None,
        0.5,
    ),
}
