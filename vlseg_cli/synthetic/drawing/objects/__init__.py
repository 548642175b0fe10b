"""Every thing the world can draw: its painter, its size, its shape and the colors it comes in."""

from collections.abc import Callable
from dataclasses import dataclass

from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.drawing.canvas import Brush
from vlseg_cli.synthetic.drawing.objects import animals, kitchen, room, shore, street

ANY: tuple[str, ...] = tuple(COLORS)
_GOODS = ("white", "white", "white", "grey", "grey", "black", "red", "blue", "green", "yellow")
_TIMBER = ("brown", "brown", "brown", "white", "grey", "black", "orange", "green", "blue", "red")
_FUR = ("brown", "brown", "black", "white", "grey", "orange")


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a category is drawn.

    tall: usual height as a share of the picture's unit (square root of its area) seen from near.
    ratios: width / height, one range per build. colors: words, more often if repeated.
    top: where things may stand on it, (left, right, height) in its unit box. tilt: degrees.
    """

    paint: Callable[[Brush], None]
    tall: float
    ratios: tuple[tuple[float, float], ...]
    colors: tuple[str, ...] = ANY
    top: tuple[float, float, float] | None = None
    tilt: float = 2.0


DRAWINGS: dict[str, Drawing] = {
    "fridge": Drawing(kitchen.fridge, 0.58, ((0.44, 0.6),), _GOODS, (0.1, 0.9, 0.01), 0.5),
    "oven": Drawing(kitchen.oven, 0.32, ((0.9, 1.2),), _GOODS, (0.05, 0.95, 0.05), 0.5),
    "table": Drawing(kitchen.table, 0.28, ((1.5, 2.3),), _TIMBER, (0.08, 0.92, 0.09), 1.0),
    "chair": Drawing(kitchen.chair, 0.32, ((0.5, 0.64),), ANY, None, 2.0),
    "cup": Drawing(kitchen.cup, 0.095, ((0.95, 1.25),), ANY, None, 3.0),
    "bottle": Drawing(kitchen.bottle, 0.165, ((0.28, 0.4),), ANY, None, 2.0),
    "bowl": Drawing(kitchen.bowl, 0.085, ((1.5, 2.1),), ANY, None, 2.0),
    "pot": Drawing(kitchen.pot, 0.11, ((1.35, 1.8),), ANY, None, 2.0),
    "apple": Drawing(
        kitchen.apple, 0.08, ((0.95, 1.1),), ("red", "red", "green", "yellow"), None, 12.0
    ),
    "banana": Drawing(
        kitchen.banana, 0.075, ((1.6, 2.1),), ("yellow", "yellow", "yellow", "green"), None, 10.0
    ),
    "sofa": Drawing(room.sofa, 0.29, ((1.7, 2.6),), ANY, (0.15, 0.85, 0.55), 0.5),
    "bed": Drawing(room.bed, 0.3, ((1.9, 2.5),), ANY, (0.3, 0.92, 0.46), 0.5),
    "lamp": Drawing(room.lamp, 0.46, ((0.28, 0.38), (0.7, 0.85)), ANY, None, 2.0),
    "tv": Drawing(room.tv, 0.23, ((1.4, 1.75),), ("black", "black", "grey", "white"), None, 0.5),
    "bookshelf": Drawing(room.bookshelf, 0.52, ((0.5, 0.85),), _TIMBER, (0.05, 0.95, 0.01), 0.5),
    "clock": Drawing(room.clock, 0.14, ((1.0, 1.0),), ANY, None, 4.0),
    "picture": Drawing(room.picture, 0.18, ((0.75, 0.9), (1.2, 1.5)), ANY, None, 3.0),
    "plant": Drawing(room.plant, 0.24, ((0.65, 0.9),), ("green",), None, 2.0),
    "cat": Drawing(animals.cat, 0.17, ((0.6, 0.75), (1.4, 1.65)), _FUR, None, 3.0),
    "dog": Drawing(animals.dog, 0.19, ((1.2, 1.45),), _FUR, None, 3.0),
    "ball": Drawing(room.ball, 0.1, ((1.0, 1.0),), ANY, None, 20.0),
    "book": Drawing(room.book, 0.09, ((0.62, 0.75), (1.8, 2.4)), ANY, None, 2.0),
    "car": Drawing(street.car, 0.24, ((1.8, 2.3),), ANY, None, 1.0),
    "bus": Drawing(street.bus, 0.34, ((1.9, 2.5),), ANY, None, 0.5),
    "bicycle": Drawing(street.bicycle, 0.2, ((1.45, 1.7),), ANY, None, 2.0),
    "traffic light": Drawing(
        street.traffic_light, 0.52, ((0.2, 0.26),), ("black", "black", "grey", "yellow"), None, 1.5
    ),
    "bench": Drawing(street.bench, 0.17, ((1.7, 2.3),), _TIMBER, (0.05, 0.95, 0.58), 1.0),
    "person": Drawing(animals.person, 0.4, ((0.32, 0.42),), ANY, None, 2.5),
    "house": Drawing(street.house, 0.52, ((0.7, 1.05), (1.2, 1.5)), ANY, None, 0.5),
    "tree": Drawing(
        street.tree, 0.56, ((0.5, 0.9),), ("green",) * 6 + ("orange", "yellow"), None, 3.0
    ),
    "cow": Drawing(
        animals.cow, 0.25, ((1.4, 1.65),), ("white", "white", "brown", "brown", "black"), None, 2.0
    ),
    "sheep": Drawing(
        animals.sheep, 0.2, ((1.15, 1.4),), ("white", "white", "white", "grey", "black"), None, 2.0
    ),
    "horse": Drawing(
        animals.horse,
        0.32,
        ((1.05, 1.25),),
        ("brown", "brown", "black", "white", "grey"),
        None,
        2.0,
    ),
    "tractor": Drawing(street.tractor, 0.33, ((1.2, 1.45),), ANY, None, 1.0),
    "bird": Drawing(animals.bird, 0.1, ((1.1, 1.35), (1.8, 2.2)), ANY, None, 6.0),
    "boat": Drawing(shore.boat, 0.33, ((0.75, 0.95), (1.5, 1.9)), ANY, None, 4.0),
    "umbrella": Drawing(shore.umbrella, 0.4, ((0.8, 1.05),), ANY, None, 8.0),
    "bucket": Drawing(shore.bucket, 0.12, ((0.8, 1.0),), ANY, None, 4.0),
    "lighthouse": Drawing(
        shore.lighthouse, 0.66, ((0.28, 0.38),), ("red", "red", "white", "blue", "black"), None, 0.5
    ),
}
