"""Clips: one scene whose objects move, drawn frame by frame with the same ids throughout.

Time runs from 0 (first frame) to 1 (last frame). A path starts or ends at the object's position in
the still scene or outside the image: objects enter, cross, occlude each other and leave.
"""

import math
from dataclasses import dataclass, replace

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.draw import render, shape_of
from vlseg_cli.synthetic.drawing.free_layouts import FREE_LAYOUTS
from vlseg_cli.synthetic.drawing.layout import plan_scene
from vlseg_cli.synthetic.drawing.placement import Placement
from vlseg_cli.synthetic.drawing.plan import PlacedObject, ScenePlan
from vlseg_cli.synthetic.hands import DEFAULT_HAND, Hand, hand_named
from vlseg_cli.synthetic.rng import DrawingRng
from vlseg_cli.synthetic.scene import Scene

_MOVABLE = (
    *("person", "dog", "cat", "bird", "ball", "car", "bus", "bicycle", "tractor"),
    *("boat", "cow", "sheep", "horse", "truck", "train", "airplane", "motorcycle", "pig", "duck"),
    *("fish", "elephant", "rabbit", "balloon", "kite", "skateboard"),
)
_VISITORS = ("person", "person", "dog", "cat", "ball")
_HOPPING = ("bird", "ball", "dog", "cat", "person", "sheep", "horse", "rabbit", "duck")
_MOTION_STREAM = 1  # of a seed's random numbers


@dataclass(frozen=True, slots=True)
class Path:
    """A movement from x0 to x1, units.

    hop: height of each of ``hops`` steps, units. growth: relative change of size along the path.
    """

    x0: float
    x1: float
    hop: float
    hops: int
    growth: float

    def moved(self, thing: PlacedObject, time: float) -> PlacedObject:
        """The object at a time in [0, 1], facing the direction of its movement."""
        eased = time * time * (3 - 2 * time) * 0.5 + time * 0.5
        size = 1 + self.growth * (time - 0.5)
        lift = self.hop * abs(math.sin(math.pi * self.hops * time))
        return replace(
            thing,
            x=self.x0 + (self.x1 - self.x0) * eased,
            bottom=thing.bottom + thing.height * (size - 1) * 0.5 - lift,
            height=thing.height * size,
            mirrored=self.x1 > self.x0,
            depth=thing.depth + thing.height * (size - 1) * 0.5,
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """Everything that changes in a clip: paths by object id, and the camera's pan, units."""

    paths: dict[int, Path]
    pan: float
    phase: float

    def at(self, plan: ScenePlan, frame: int, frames: int) -> ScenePlan:
        """The plan of frame ``frame`` of ``frames``."""
        time = frame / max(1, frames - 1)
        things = tuple(
            self.paths[thing.id].moved(thing, time) if thing.id in self.paths else thing
            for thing in plan.things
        )
        shift = self.pan * math.sin(self.phase + 2.2 * time)
        return replace(plan, things=things, shift=shift, light=replace(plan.light, frame=frame))


@dataclass(frozen=True, slots=True)
class MovingScene:
    """A clip whose frames are drawn on demand. shape: (H, W) px."""

    plan: ScenePlan
    motion: Motion
    shape: tuple[int, int]
    frames: int
    hand: Hand

    def at(self, frame: int) -> Scene:
        """Draw one frame; deterministic."""
        return render(self.motion.at(self.plan, frame, self.frames), self.shape, self.hand)


def moving_scene(
    seed: int,
    frames: int = 16,
    size: int = 256,
    scene_type: str | None = None,
    hand: str = DEFAULT_HAND,
) -> MovingScene:
    """The clip of ``seed`` in ``frames`` frames, longest side ``size`` px, by a key of ``HANDS``.

    More frames show the same movement in finer steps. Raises UsageError for no frames, or no hand.
    """
    drawn_by = hand_named(hand)
    if frames < 1:
        raise UsageError(f"a clip cannot have {frames} frames: ask for 1 or more")
    plan, motion = plan_clip(
        plan_scene(seed, drawn_by, scene_type), DrawingRng.seeded(seed, _MOTION_STREAM), drawn_by
    )
    return MovingScene(plan, motion, shape_of(plan, size), frames, drawn_by)


def draw_clip(
    seed: int,
    frames: int = 16,
    size: int = 256,
    scene_type: str | None = None,
    hand: str = DEFAULT_HAND,
) -> tuple[Scene, ...]:
    """Draw all frames of ``moving_scene``.

    An id denotes the same object in every frame; a frame lists only the items visible in it.
    """
    scene = moving_scene(seed, frames, size, scene_type, hand)
    return tuple(scene.at(frame) for frame in range(frames))


def plan_clip(plan: ScenePlan, rng: DrawingRng, hand: Hand) -> tuple[ScenePlan, Motion]:
    """Give up to four movable objects a path; a scene without any gets an additional one.

    Returns the plan with the additional object, and the motion. The camera pans in half of the
    clips.
    """
    free = plan.scene_type in FREE_LAYOUTS  # where anything may move
    movable = [
        thing for thing in plan.things if thing.on is None and (free or thing.category in _MOVABLE)
    ]
    if not movable or rng.bernoulli(0.3):
        visitor = _visitor(plan, rng, hand)
        plan, movable = replace(plan, things=(*plan.things, visitor)), [*movable, visitor]
    movers = rng.sample(movable, rng.integer(1, 4))
    paths = {thing.id: _path(plan, thing, rng) for thing in movers}
    pan = rng.uniform(0.03, 0.12) if rng.bernoulli(0.5) else 0.0
    return plan, Motion(paths, pan, rng.uniform(0, 2 * math.pi))


def _visitor(plan: ScenePlan, rng: DrawingRng, hand: Hand) -> PlacedObject:
    """A person, pet or ball in the foreground."""
    number = max((thing.id for thing in plan.things), default=len(plan.stuff)) + 1
    placement = Placement(rng, plan.width, plan.height, number, outlined=0.3, hand=hand)
    bottom = rng.uniform(0.85, 0.98) * plan.height
    category, x = rng.choice(_VISITORS), rng.uniform(0.2, 0.8) * plan.width
    placement.add(placement.make(category, x, bottom, rng.uniform(0.9, 1.2), depth=bottom))
    return placement.things[0]


def _path(plan: ScenePlan, thing: PlacedObject, rng: DrawingRng) -> Path:
    outside = 0.6 * thing.width + 0.02
    left, right = -outside, plan.width + outside
    hop = 0.08 * thing.height if thing.category in _HOPPING else 0.0
    ends = (
        *((left, right), (right, left), (left, thing.x), (right, thing.x)),
        *((thing.x, left), (thing.x, right)),
        (thing.x, thing.x + rng.choice((-0.4, 0.4)) * plan.width),
    )
    x0, x1 = rng.choice(ends)
    return Path(x0, x1, hop, rng.integer(2, 5), rng.uniform(-0.2, 0.2))
