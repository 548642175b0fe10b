"""How things move through a clip: who moves, along which path, and where it is at a moment.

Moments run from 0, the first frame, to 1, the last. A path starts or ends at the thing's place in
the still scene or beyond the picture's side: things enter, cross, pass each other and leave.
"""

import math
from dataclasses import dataclass, replace

from vlseg_cli.synthetic.drawing.layout.placement import Placement
from vlseg_cli.synthetic.drawing.plan import Placed, ScenePlan
from vlseg_cli.synthetic.drawing.rng import DrawingRng

LIVELY = (
    *("person", "dog", "cat", "bird", "ball", "car", "bus", "bicycle", "tractor"),
    *("boat", "cow", "sheep", "horse"),
)
_VISITORS = ("person", "person", "dog", "cat", "ball")
_HOPPING = ("bird", "ball", "dog", "cat", "person", "sheep", "horse")


@dataclass(frozen=True, slots=True)
class Path:
    """A way from x0 to x1 units.

    hop: height of its steps in units, hops: how many. growth: change of size along it, a share.
    """

    x0: float
    x1: float
    hop: float
    hops: int
    growth: float

    def moved(self, thing: Placed, moment: float) -> Placed:
        """The thing at a moment; it looks where it goes."""
        eased = moment * moment * (3 - 2 * moment) * 0.5 + moment * 0.5
        size = 1 + self.growth * (moment - 0.5)
        lift = self.hop * abs(math.sin(math.pi * self.hops * moment))
        return replace(
            thing,
            x=self.x0 + (self.x1 - self.x0) * eased,
            base=thing.base + thing.tall * (size - 1) * 0.5 - lift,
            tall=thing.tall * size,
            mirrored=self.x1 > self.x0,
            depth=thing.depth + thing.tall * (size - 1) * 0.5,
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """Everything that changes in a clip: paths by thing id, and the camera's pan in units."""

    paths: dict[int, Path]
    pan: float
    phase: float

    def at(self, plan: ScenePlan, frame: int, frames: int) -> ScenePlan:
        """The plan of one frame."""
        moment = frame / max(1, frames - 1)
        things = tuple(
            self.paths[thing.id].moved(thing, moment) if thing.id in self.paths else thing
            for thing in plan.things
        )
        shift = self.pan * math.sin(self.phase + 2.2 * moment)
        return replace(plan, things=things, shift=shift, light=replace(plan.light, frame=frame))


def plan_clip(plan: ScenePlan, dice: DrawingRng) -> tuple[ScenePlan, Motion]:
    """Give up to four lively things a path; where there is none, a visitor comes by.

    Returns the plan with its visitor and the motion. The camera pans in half of the clips.
    """
    lively = [thing for thing in plan.things if thing.category in LIVELY and thing.on is None]
    if not lively or dice.chance(0.3):
        visitor = _visitor(plan, dice)
        plan, lively = replace(plan, things=(*plan.things, visitor)), [*lively, visitor]
    movers = dice.sample(lively, dice.count(1, 4))
    paths = {thing.id: _path(plan, thing, dice) for thing in movers}
    pan = dice.between(0.03, 0.12) if dice.chance(0.5) else 0.0
    return plan, Motion(paths, pan, dice.between(0, 2 * math.pi))


def _visitor(plan: ScenePlan, dice: DrawingRng) -> Placed:
    """A person or a pet standing somewhere near the viewer."""
    number = max((thing.id for thing in plan.things), default=len(plan.stuff)) + 1
    stage = Placement(dice, plan.width, plan.height, number, style=0.3)
    base = dice.between(0.85, 0.98) * plan.height
    category, x = dice.pick(_VISITORS), dice.between(0.2, 0.8) * plan.width
    stage.add(stage.make(category, x, base, dice.between(0.9, 1.2), depth=base))
    return stage.things[0]


def _path(plan: ScenePlan, thing: Placed, dice: DrawingRng) -> Path:
    beyond = 0.6 * thing.wide + 0.02
    left, right = -beyond, plan.width + beyond
    hop = 0.08 * thing.tall if thing.category in _HOPPING else 0.0
    ways = (
        *((left, right), (right, left), (left, thing.x), (right, thing.x)),
        *((thing.x, left), (thing.x, right)),
        (thing.x, thing.x + dice.pick((-0.4, 0.4)) * plan.width),
    )
    x0, x1 = dice.pick(ways)
    return Path(x0, x1, hop, dice.count(2, 5), dice.between(-0.2, 0.2))
