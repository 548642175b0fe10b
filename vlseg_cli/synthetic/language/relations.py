"""Spatial relations of two items: each holds clearly, fails clearly, or is unclear.

A sentence may use a relation only if it holds for the target and clearly fails for every other
candidate. Lengths are fractions of the image's longest side unless stated otherwise.
"""

from collections.abc import Callable
from enum import Enum

from vlseg_cli.synthetic.scene import SceneItem

MARGIN = 0.06  # a difference that is clear to a person
_NEAR = 0.07  # largest gap of things next to each other
_APART = 0.16  # gap from which things are not next to each other


class Holds(Enum):
    """Whether a relation holds."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def left_of(a: SceneItem, b: SceneItem, side: int) -> Holds:
    """Whether a is left of b; side: longest side of the image, px."""
    if a.box[2] <= b.center[0] and b.center[0] - a.center[0] >= MARGIN * side:
        return Holds.YES
    return Holds.NO if a.center[0] - b.center[0] >= MARGIN * side else Holds.UNCLEAR


def right_of(a: SceneItem, b: SceneItem, side: int) -> Holds:
    """Whether a is right of b."""
    if a.box[0] >= b.center[0] and a.center[0] - b.center[0] >= MARGIN * side:
        return Holds.YES
    return Holds.NO if b.center[0] - a.center[0] >= MARGIN * side else Holds.UNCLEAR


def above(a: SceneItem, b: SceneItem, side: int) -> Holds:
    """Whether a is over b, in the same column, and not resting on it."""
    if a.center[1] - b.center[1] >= MARGIN * side:
        return Holds.NO
    clear = a.box[3] <= b.center[1] and b.center[1] - a.center[1] >= MARGIN * side
    return Holds.YES if clear and _same_column(a, b) and a.on != b.id else Holds.UNCLEAR


def below(a: SceneItem, b: SceneItem, side: int) -> Holds:
    """Whether a is under b, in the same column, and does not support it."""
    if b.center[1] - a.center[1] >= MARGIN * side:
        return Holds.NO
    clear = a.box[1] >= b.center[1] and a.center[1] - b.center[1] >= MARGIN * side
    return Holds.YES if clear and _same_column(a, b) and b.on != a.id else Holds.UNCLEAR


def on(a: SceneItem, b: SceneItem, side: int) -> Holds:  # noqa: ARG001 - same signature for all
    """Whether a rests on b, according to the plan."""
    if a.on == b.id:
        return Holds.YES
    return Holds.UNCLEAR if _gap(a, b) == 0 else Holds.NO


def next_to(a: SceneItem, b: SceneItem, side: int) -> Holds:
    """Whether a is beside b with a small gap, at about the same height."""
    gap = _gap(a, b)
    if gap >= _APART * side:
        return Holds.NO
    rows = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    beside = rows > 0.3 * min(a.box[3] - a.box[1], b.box[3] - b.box[1])
    stacked = a.on == b.id or b.on == a.id
    apart = abs(a.center[0] - b.center[0]) >= MARGIN * side
    near = gap <= _NEAR * side
    return Holds.YES if near and beside and apart and not stacked else Holds.UNCLEAR


RELATIONS: dict[str, Callable[[SceneItem, SceneItem, int], Holds]] = {
    "left of": left_of,
    "right of": right_of,
    "above": above,
    "below": below,
    "on": on,
    "next to": next_to,
}


def between(a: SceneItem, b: SceneItem, c: SceneItem, side: int) -> Holds:
    """Whether a is between b and c from left to right, at about their height."""
    (left, _), (right, _) = sorted((b.center, c.center))
    rows = (b.center[1], c.center[1])
    outside = max(left - a.center[0], a.center[0] - right)
    off = max(min(rows) - a.center[1], a.center[1] - max(rows))
    if outside <= -MARGIN * side and off <= _NEAR * side and right - left >= 2 * _APART * side:
        return Holds.YES if abs(rows[0] - rows[1]) <= _APART * side else Holds.UNCLEAR
    return Holds.NO if outside >= MARGIN * side or off >= 3 * _APART * side else Holds.UNCLEAR


def distance(a: SceneItem, b: SceneItem) -> float:
    """Distance of the centers, px."""
    return float(((a.center[0] - b.center[0]) ** 2 + (a.center[1] - b.center[1]) ** 2) ** 0.5)


def _same_column(a: SceneItem, b: SceneItem) -> bool:
    shared = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    return shared >= 0.5 * min(a.box[2] - a.box[0], b.box[2] - b.box[0])


def _gap(a: SceneItem, b: SceneItem) -> float:
    dx = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0)
    dy = max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0)
    return float((dx * dx + dy * dy) ** 0.5)
