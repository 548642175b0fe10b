"""Put a cast on the stage: spots by zone, things on top of things, rows and scattered crowds."""

from dataclasses import replace

from vlseg_cli.synthetic.drawing.layout.placement import Placement, top_of
from vlseg_cli.synthetic.drawing.layout.scene_types import Ground, Role
from vlseg_cli.synthetic.drawing.objects import DRAWINGS
from vlseg_cli.synthetic.drawing.plan import Placed

_TRIES = 10
_SURFACES = ("table", "oven", "bookshelf", "fridge")
_SEATS = ("sofa", "bed", "bench")
_WALL_DEPTH, _SKY_DEPTH = -1.0, -0.5


def put(
    stage: Placement, ground: Ground, role: Role, word: str | None = None, size: float = 1
) -> bool:
    """Find a free spot for one thing of this role; False if there is none."""
    tolerance = stage.dice.pick((0.1, 0.2, 0.35, 0.6))
    for _ in range(_TRIES):
        thing = _candidate(stage, ground, role, word, size)
        if stage.fits(thing, tolerance):
            stage.add(thing)
            return True
    return False


def put_crowd(stage: Placement, ground: Ground, role: Role, number: int) -> None:
    """Several of one category, in a row or scattered, alike or different in color and size."""
    dice, colors = stage.dice, DRAWINGS[role.category].colors
    same = dice.pick(colors) if dice.chance(0.35) else None
    alike = not dice.chance(0.55)
    sizes = [1.0 if alike else dice.pick((0.7, 1.0, 1.45)) for _ in range(number)]
    words = [same or dice.pick(colors) for _ in range(number)]
    if dice.chance(0.5) and _put_row(stage, ground, role, words, sizes):
        return
    for word, size in zip(words, sizes, strict=True):
        put(stage, ground, role, word, size)


def _put_row(
    stage: Placement, ground: Ground, role: Role, words: list[str], sizes: list[float]
) -> bool:
    """Side by side with even gaps on one line; False (and nobody placed) if there is no room."""
    first = _candidate(stage, ground, role, words[0], sizes[0])
    gap = stage.dice.between(1.12, 1.7)
    usual = _factor(stage, ground, role, first.base)
    row = [first]
    for word, size in zip(words[1:], sizes[1:], strict=True):
        pose = (role.category, first.x, first.base, usual * size, first.depth)
        row.append(stage.make(*pose, word=word, build=role.build, on=first.on))
    row = _lined_up(stage, row, gap)
    if not row or not all(stage.fits(thing, 0.4) for thing in row):
        return False
    for thing in row:
        stage.add(thing)
    return True


def _lined_up(stage: Placement, row: list[Placed], gap: float) -> list[Placed]:
    """The row moved to a free start, ``gap`` widths from one to the next; empty if too long."""
    low, high = _span(stage, row[0])
    total = row[0].wide + sum(thing.wide * gap for thing in row[1:])
    if total > high - low:
        return []
    left, lined = stage.dice.between(low, high - total), []
    for place, thing in enumerate(row):
        left += thing.wide * (gap - 1) if place else 0.0
        lined.append(replace(thing, id=stage.next_id + place, x=left + thing.wide / 2))
        left += thing.wide
    return lined


def _span(stage: Placement, thing: Placed) -> tuple[float, float]:
    """Where the left and right ends of a row may lie: its support's top, or the picture."""
    for support in stage.things:
        if support.id == thing.on:
            left, right, _ = top_of(support)
            return left, right
    return 0.02 * stage.width, 0.98 * stage.width


def _candidate(
    stage: Placement, ground: Ground, role: Role, word: str | None, size: float
) -> Placed:
    """One thing at a random spot of its zone."""
    dice, zone = stage.dice, role.zone
    if zone in ("top", "pet") and dice.chance(0.9 if zone == "top" else 0.35):
        choice = _SURFACES if zone == "top" else _SEATS
        supports = stage.supports(choice)
        if supports:
            return _on_top(stage, dice.pick(supports), role, word, size)
    x = dice.between(0.06, 0.94) * stage.width
    low, high = ground.zones[zone] if zone in ground.zones else _floor(ground)
    base = dice.between(low, high) * stage.height
    depth = {"wall": _WALL_DEPTH, "sky": _SKY_DEPTH}.get(zone, base)
    factor = _factor(stage, ground, role, base) * size
    return stage.make(role.category, x, base, factor, depth, word=word, build=role.build)


def _on_top(stage: Placement, support: Placed, role: Role, word: str | None, size: float) -> Placed:
    left, right, height = top_of(support)
    edge = min(0.03, (right - left) / 4)
    x = stage.dice.between(left + edge, right - edge)
    factor = role.factor * size * support.tall / DRAWINGS[support.category].tall
    sink = stage.dice.between(0.0, 0.012)
    return stage.make(
        *(role.category, x, height + sink, min(factor, 1.3), support.depth + 0.001 + sink / 10),
        word=word,
        build=role.build,
        on=support.id,
    )


def _floor(ground: Ground) -> tuple[float, float]:
    return ground.zones["floor"] if "floor" in ground.zones else ground.zones["ground"]


def _factor(stage: Placement, ground: Ground, role: Role, base: float) -> float:
    """How large a thing of this role is when it stands at ``base``."""
    near = (base / stage.height - ground.horizon) / (1 - ground.horizon)
    if role.zone in ("wall", "sky"):
        return role.factor * stage.dice.between(0.75, 1.3)
    return role.factor * (ground.far + (1.2 - ground.far) * min(1.0, max(0.0, near)))
