"""Layouts without a place: objects on plain ground that float, tile, crowd, or leave the image.

Nothing but the objects themselves tells here what they are: a cup may be as large as a house.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.drawing.placement import Placement
from vlseg_cli.synthetic.drawing.plan import PlacedObject
from vlseg_cli.synthetic.drawing.scene_types import Background
from vlseg_cli.synthetic.rng import DrawingRng

# What plain ground may be; () is ground without a category.
_STUFF = (
    *((),) * 6,
    *(("wall",), ("floor",), ("sky",), ("grass",), ("sand",), ("sea",), ("road",), ("snow",)),
    *(("soil",), ("carpet",), ("lake",), ("pavement",), ("forest",)),
    *(("wall", "floor"), ("sky", "grass"), ("sky", "sea"), ("sky", "snow"), ("wall", "carpet")),
)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class FreeLayout:
    """A way to place objects without a scene type."""

    place: Callable[[Placement], None]

    def ground(self, rng: DrawingRng) -> Background:
        """Plain ground: nothing, one stuff category, or two above each other."""
        return Background((rng.uniform(0.35, 0.75),), rng.choice(_STUFF), {}, 0.0, 1.0)


def _floating(placement: Placement) -> None:
    rng = placement.rng
    names = _names(placement, rng.integer(1, 5))
    for _ in range(rng.integer(2, 9)):
        _put(placement, rng.choice(names), rng.uniform(0.1, 0.36), rng.choice((0.0, 0.1, 0.3)))


def _crowded(placement: Placement) -> None:
    rng = placement.rng
    names = _names(placement, rng.integer(3, 10))
    large = rng.uniform(0.12, 0.22)
    for _ in range(rng.integer(12, 28)):
        _put(placement, rng.choice(names), large * rng.uniform(0.6, 1.3), 0.35)


def _small(placement: Placement) -> None:
    rng = placement.rng
    names = _names(placement, rng.integer(2, 6))
    for _ in range(rng.integer(4, 16)):
        _put(placement, rng.choice(names), rng.uniform(0.06, 0.12), 0.0)


def _single(placement: Placement) -> None:
    rng = placement.rng
    (name,) = _names(placement, 1)
    _put(placement, name, rng.uniform(0.4, 0.8), 1.0)


def _cut(placement: Placement) -> None:
    """Large objects, one or more across the border."""
    rng = placement.rng
    names = _names(placement, rng.integer(1, 4))
    for _ in range(rng.integer(2, 5)):
        _put(placement, rng.choice(names), rng.uniform(0.3, 0.6), 0.25, inside=0.45)


def _tiled(placement: Placement) -> None:
    """A table of cells with an object in nearly each."""
    rng = placement.rng
    columns, rows = rng.integer(2, 5), rng.integer(2, 5)
    names = _names(placement, rng.integer(1, 6))
    wide, tall = placement.width / columns, placement.height / rows
    fill = rng.uniform(0.6, 0.9)
    for row in range(rows):
        for column in range(columns):
            if rng.bernoulli(0.9):
                thing = _make(placement, rng.choice(names), 1.0)
                height = fill * min(tall, wide / thing.aspect)
                x, bottom = (column + 0.5) * wide, (row + 0.5) * tall + height / 2
                placement.add(replace(thing, x=x, bottom=bottom, height=height, depth=bottom))


def _row(placement: Placement) -> None:
    """2 to 6 of one category side by side, with another object or two elsewhere."""
    rng = placement.rng
    (name, *others) = _names(placement, rng.integer(1, 3))
    number, bottom = rng.integer(2, 6), rng.uniform(0.45, 0.85) * placement.height
    room = 0.94 * placement.width / number
    equal, gap = rng.bernoulli(0.5), rng.uniform(0.65, 0.95)
    for k in range(number):
        thing = _make(placement, name, 1.0)
        share = 1.0 if equal else rng.uniform(0.55, 1.0)
        height = share * min(0.45 * placement.height, gap * room / thing.aspect)
        x = 0.03 * placement.width + (k + 0.5) * room
        placement.add(replace(thing, x=x, bottom=bottom, height=height, depth=bottom))
    for other in others:
        _put(placement, other, rng.uniform(0.1, 0.25), 0.0)


def _pairs(placement: Placement) -> None:
    """Two or three categories, 2 to 4 objects of each, in different colors and sizes."""
    rng = placement.rng
    for name in _names(placement, rng.integer(2, 3)):
        for _ in range(rng.integer(2, 4)):
            _put(placement, name, rng.choice((0.12, 0.17, 0.24)) * rng.uniform(0.85, 1.15), 0.05)


FREE_LAYOUTS: dict[str, FreeLayout] = {
    "floating": FreeLayout(_floating),
    "crowded": FreeLayout(_crowded),
    "small": FreeLayout(_small),
    "single": FreeLayout(_single),
    "cut": FreeLayout(_cut),
    "tiled": FreeLayout(_tiled),
    "row": FreeLayout(_row),
    "pairs": FreeLayout(_pairs),
}


def _names(placement: Placement, number: int) -> list[str]:
    things = [name for name in placement.hand.categories if BY_NAME[name].is_thing]
    return placement.rng.sample(things, number)


def _make(placement: Placement, name: str, size: float) -> PlacedObject:
    """An object as large as a square of this side, units; tilted in some scenes."""
    thing = placement.make(name, 0.5, 0.5, 1.0, depth=0.0)
    turn = placement.rng.uniform(-placement.turn, placement.turn)
    return replace(thing, height=size * thing.aspect**-0.5, angle=thing.angle + turn)


def _put(
    placement: Placement, name: str, size: float, tolerance: float, inside: float = 0.9
) -> None:
    """Add an object at a free position, if one is found.

    inside: share of its width and height that must lie in the image.
    """
    rng = placement.rng
    thing = _make(placement, name, size)
    most = 0.95 * min(placement.height / thing.height, placement.width / thing.width)
    if inside > 0.5 and most < 1:
        thing = replace(thing, height=thing.height * most)
    left, top = (inside - 0.5) * thing.width, inside * thing.height
    below = placement.height + (1 - inside) * thing.height
    for _ in range(_TRIES):
        x, bottom = rng.uniform(left, placement.width - left), rng.uniform(top, below)
        moved = replace(thing, x=x, bottom=bottom, depth=bottom)
        if placement.fits(moved, tolerance, inside):
            placement.add(moved)
            return
