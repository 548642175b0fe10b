"""Objects find their places: on the ground of a scene type, on furniture, in rows.

A candidate that overlaps others too much or leaves the image is drawn again, up to ten times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vlseg_cli.synthetic.drawing.canvas import Warp, jittered
from vlseg_cli.synthetic.drawing.drawings import drawings_of
from vlseg_cli.synthetic.drawing.objects import Drawing
from vlseg_cli.synthetic.drawing.plan import PlacedObject
from vlseg_cli.synthetic.drawing.scene_types import Background, ObjectPrior
from vlseg_cli.synthetic.hands import Hand
from vlseg_cli.synthetic.rng import DrawingRng

MAX_OBJECTS = 13
_MIN_INSIDE = 0.72  # share of an object's width and of its height that lies in the image
_TRIES = 10
_SURFACES = ("table", "oven", "bookshelf", "fridge", "microwave")
_SEATS = ("sofa", "bed", "bench")
_DEPTHS = {"wall": -1.0, "sky": -0.5}  # behind all objects that stand on the ground

_Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Placement:
    """The objects placed so far. width, height: of the image, units. outlined: share of them.

    usual: the drawing of a category that most objects of the scene have. turn: largest angle in
    free layouts, degrees.
    """

    rng: DrawingRng
    width: float
    height: float
    next_id: int
    outlined: float
    hand: Hand
    turn: float = 0.0
    usual: dict[str, Drawing] = field(default_factory=dict)
    things: list[PlacedObject] = field(default_factory=list)

    def make(
        self,
        category: str,
        x: float,
        bottom: float,
        scale: float,
        depth: float,
        *,
        color: str | None = None,
        variant: int | None = None,
        on: int | None = None,
    ) -> PlacedObject:
        """An object at (x, bottom), ``scale`` times its usual height, that is not added yet."""
        rng, drawing = self.rng, self._drawing(category, variant)
        color = color or rng.choice(drawing.colors)
        aspects = (
            rng.choice(drawing.aspects)
            if variant is None
            else drawing.aspects[variant % len(drawing.aspects)]
        )
        return PlacedObject(
            id=self.next_id,
            category=category,
            color=color,
            rgb=jittered(color, rng),
            x=x,
            bottom=bottom,
            height=drawing.height * scale * rng.uniform(0.92, 1.1),
            aspect=rng.uniform(*aspects),
            mirrored=rng.bernoulli(0.5),
            angle=rng.uniform(-1, 1) * drawing.tilt,
            outline=0.0035 if rng.bernoulli(self.outlined) else 0.0,
            depth=depth,
            random_numbers=(),
            drawing=drawing,
            warp=None if self.hand.constructions == "first" else Warp.drawn(rng),
            on=on,
        )

    def _drawing(self, category: str, variant: int | None) -> Drawing:
        """One of the hand's drawings, of the variant where one is given and exists."""
        options = drawings_of(category, self.hand.constructions)
        fitting = tuple(one for one in options if variant is None or one.variant in (None, variant))
        options = fitting or options
        if len(options) == 1:
            return options[0]
        usual = self.usual.setdefault(category, self.rng.choice(options))
        return usual if usual in options and self.rng.bernoulli(0.6) else self.rng.choice(options)

    def fits(self, thing: PlacedObject, tolerance: float, inside: float = _MIN_INSIDE) -> bool:
        """Whether it is mostly inside the image and overlaps no other object too much.

        tolerance: overlap allowed, a share of the smaller box; its support does not count.
        inside: share of its width and height that must lie in the image.
        """
        x0, y0, x1, y1 = thing.box
        across, down = min(x1, self.width) - max(x0, 0), min(y1, self.height) - max(y0, 0)
        if across < inside * thing.width or down < inside * thing.height:
            return False
        return all(
            _overlap(thing.box, other.box) <= tolerance
            for other in self.things
            if other.id != thing.on
        )

    def add(self, thing: PlacedObject) -> None:
        """Add an object, with the random numbers that its painter will use."""
        self.things.append(replace(thing, random_numbers=self.rng.block()))
        self.next_id += 1

    def supports(self, categories: tuple[str, ...]) -> list[PlacedObject]:
        """Objects of these categories that others can stand on."""
        return [
            thing
            for thing in self.things
            if thing.category in categories and thing.drawing.top is not None
        ]


def top_surface(support: PlacedObject) -> tuple[float, float, float]:
    """Left end, right end and y of a support's upper surface, units."""
    if support.drawing.top is None:
        raise ValueError(f"nothing can stand on a {support.category}")
    left, right, top = support.drawing.top
    if support.warp is not None:
        (left, _), (right, top) = support.warp.moved(((left, top), (right, top)))
    x0, y0, _, _ = support.box
    left, right = (1 - right, 1 - left) if support.mirrored else (left, right)
    return x0 + left * support.width, x0 + right * support.width, y0 + top * support.height


def _overlap(one: _Box, other: _Box) -> float:
    """Intersection over the smaller box's area."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return width * height / smaller


def place_objects(
    placement: Placement, background: Background, priors: tuple[ObjectPrior, ...]
) -> None:
    """Likely objects first, then a group of one category in half of the scenes, then any."""
    rng = placement.rng
    target = rng.choice((3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13))
    for prior in priors:
        if rng.bernoulli(prior.probability):
            _place(placement, background, prior)
    if rng.bernoulli(0.5):
        _place_group(placement, background, _weighted(rng, priors), rng.choice((2, 2, 3, 3, 4)))
    for _ in range(target - len(placement.things)):
        _place(placement, background, _weighted(rng, priors))
    del placement.things[MAX_OBJECTS:]


def _weighted(rng: DrawingRng, priors: tuple[ObjectPrior, ...]) -> ObjectPrior:
    """One prior, by weight."""
    left = rng.random() * sum(prior.weight for prior in priors)
    for prior in priors:
        left -= prior.weight
        if left < 0:
            return prior
    return priors[-1]


def _place(
    placement: Placement,
    background: Background,
    prior: ObjectPrior,
    color: str | None = None,
    size: float = 1,
) -> None:
    """Add one object at a free position, if one is found."""
    tolerance = placement.rng.choice((0.1, 0.2, 0.35, 0.6))
    for _ in range(_TRIES):
        thing = _candidate(placement, background, prior, color, size)
        if placement.fits(thing, tolerance):
            placement.add(thing)
            return


def _place_group(
    placement: Placement, background: Background, prior: ObjectPrior, number: int
) -> None:
    """Several objects of one category, in a row or scattered, equal or not in color and size."""
    rng, colors = placement.rng, drawings_of(prior.category, placement.hand.constructions)[0].colors
    same = rng.choice(colors) if rng.bernoulli(0.35) else None
    equal = not rng.bernoulli(0.55)
    sizes = [1.0 if equal else rng.choice((0.7, 1.0, 1.45)) for _ in range(number)]
    words = [same or rng.choice(colors) for _ in range(number)]
    if rng.bernoulli(0.5) and _place_row(placement, background, prior, words, sizes):
        return
    for color, size in zip(words, sizes, strict=True):
        _place(placement, background, prior, color, size)


def _place_row(
    placement: Placement,
    background: Background,
    prior: ObjectPrior,
    colors: Sequence[str],
    sizes: Sequence[float],
) -> bool:
    """Side by side with even gaps on one line; False, and none added, if there is no room."""
    first = _candidate(placement, background, prior, colors[0], sizes[0])
    gap = placement.rng.uniform(1.12, 1.7)
    scale = _scale(placement, background, prior, first.bottom)
    row = [first]
    for color, size in zip(colors[1:], sizes[1:], strict=True):
        pose = (prior.category, first.x, first.bottom, scale * size, first.depth)
        row.append(placement.make(*pose, color=color, variant=prior.variant, on=first.on))
    row = _aligned(placement, row, gap)
    if not row or not all(placement.fits(thing, 0.4) for thing in row):
        return False
    for thing in row:
        placement.add(thing)
    return True


def _aligned(placement: Placement, row: list[PlacedObject], gap: float) -> list[PlacedObject]:
    """The row at a random start, ``gap`` widths from one to the next; empty if it is too long."""
    low, high = _row_limits(placement, row[0])
    total = row[0].width + sum(thing.width * gap for thing in row[1:])
    if total > high - low:
        return []
    left, aligned = placement.rng.uniform(low, high - total), []
    for index, thing in enumerate(row):
        left += thing.width * (gap - 1) if index else 0.0
        aligned.append(replace(thing, id=placement.next_id + index, x=left + thing.width / 2))
        left += thing.width
    return aligned


def _row_limits(placement: Placement, thing: PlacedObject) -> tuple[float, float]:
    """x limits of a row: those of its support's top surface, or of the image."""
    for support in placement.things:
        if support.id == thing.on:
            return top_surface(support)[:2]
    return 0.02 * placement.width, 0.98 * placement.width


def _candidate(
    placement: Placement, background: Background, prior: ObjectPrior, color: str | None, size: float
) -> PlacedObject:
    """One object at a random position of its zone."""
    rng, zone = placement.rng, prior.zone
    if zone in ("top", "pet") and rng.bernoulli(0.9 if zone == "top" else 0.35):
        supports = placement.supports(_SURFACES if zone == "top" else _SEATS)
        if supports:
            return _on_top(placement, rng.choice(supports), prior, color, size)
    x = rng.uniform(0.06, 0.94) * placement.width
    low, high = background.zones.get(zone) or background.floor
    bottom = rng.uniform(low, high) * placement.height
    scale = _scale(placement, background, prior, bottom) * size
    depth = _DEPTHS.get(zone, bottom)
    return placement.make(
        prior.category, x, bottom, scale, depth, color=color, variant=prior.variant
    )


def _on_top(
    placement: Placement, support: PlacedObject, prior: ObjectPrior, color: str | None, size: float
) -> PlacedObject:
    left, right, height = top_surface(support)
    margin = min(0.03, (right - left) / 4)
    x = placement.rng.uniform(left + margin, right - margin)
    scale = prior.scale * size * support.height / support.drawing.height
    sink = placement.rng.uniform(0.0, 0.012)
    return placement.make(
        *(prior.category, x, height + sink, min(scale, 1.3), support.depth + 0.001 + sink / 10),
        color=color,
        variant=prior.variant,
        on=support.id,
    )


def _scale(
    placement: Placement, background: Background, prior: ObjectPrior, bottom: float
) -> float:
    """Factor on the usual height of an object that stands at ``bottom``: perspective."""
    near = (bottom / placement.height - background.horizon) / (1 - background.horizon)
    if prior.zone in _DEPTHS:
        return prior.scale * placement.rng.uniform(0.75, 1.3)
    far = background.far_scale
    return prior.scale * (far + (1.2 - far) * min(1.0, max(0.0, near)))
