"""The stage things are put on: gives each its look and an id, and keeps them from piling up."""

from dataclasses import dataclass, field, replace

from vlseg_cli.synthetic.drawing.colors import jittered
from vlseg_cli.synthetic.drawing.objects import DRAWINGS
from vlseg_cli.synthetic.drawing.plan import Placed
from vlseg_cli.synthetic.drawing.rng import DrawingRng

MOSTLY = 0.72
Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Placement:
    """A scene being laid out.

    width, height: units. next_id: of the next thing. style: share of things with an outline.
    """

    dice: DrawingRng
    width: float
    height: float
    next_id: int
    style: float
    things: list[Placed] = field(default_factory=list)

    def make(
        self,
        category: str,
        x: float,
        base: float,
        factor: float,
        depth: float,
        *,
        word: str | None = None,
        build: int | None = None,
        on: int | None = None,
    ) -> Placed:
        """A thing standing at x, base, ``factor`` times its usual height; not on the stage yet."""
        dice, drawing = self.dice, DRAWINGS[category]
        word = word or dice.pick(drawing.colors)
        shape = dice.pick(drawing.ratios) if build is None else drawing.ratios[build]
        return Placed(
            id=self.next_id,
            category=category,
            word=word,
            rgb=jittered(word, dice),
            x=x,
            base=base,
            tall=drawing.tall * factor * dice.between(0.92, 1.1),
            ratio=dice.between(*shape),
            mirrored=dice.chance(0.5),
            degrees=dice.between(-1, 1) * drawing.tilt,
            outline=0.0035 if dice.chance(self.style) else 0.0,
            depth=depth,
            traits=(),
            on=on,
        )

    def fits(self, thing: Placed, tolerance: float) -> bool:
        """Whether it is mostly in the picture and no other thing shares more than ``tolerance``.

        What is shared is counted in the smaller one's box.
        """
        x0, y0, x1, y1 = thing.box
        inside = min(x1, self.width) - max(x0, 0), min(y1, self.height) - max(y0, 0)
        if inside[0] < MOSTLY * thing.wide or inside[1] < MOSTLY * thing.tall:
            return False
        return all(
            _shared(thing.box, other.box) <= tolerance
            for other in self.things
            if other.id != thing.on
        )

    def add(self, thing: Placed) -> None:
        """Put it there; only now it gets its lasting traits."""
        self.things.append(replace(thing, traits=self.dice.traits()))
        self.next_id += 1

    def supports(self, categories: tuple[str, ...]) -> list[Placed]:
        """Things of these categories that something can stand on."""
        return [thing for thing in self.things if thing.category in categories]


def top_of(support: Placed) -> tuple[float, float, float]:
    """Left end, right end and height of a support's upper surface, in units."""
    top = DRAWINGS[support.category].top
    if top is None:
        raise ValueError(f"nothing can stand on a {support.category}")
    x0, y0, _, _ = support.box
    left, right = (1 - top[1], 1 - top[0]) if support.mirrored else top[:2]
    return x0 + left * support.wide, x0 + right * support.wide, y0 + top[2] * support.tall


def _shared(one: Box, other: Box) -> float:
    """Intersection over the smaller box's area."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return wide * tall / smaller
