"""A scene in motion: the same things, drawn again at every moment, with the same ids throughout."""

from collections.abc import Sequence

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.worlds.draw import render, shape_of
from vlseg_cli.worlds.drawing.dice import Dice
from vlseg_cli.worlds.drawing.layout import plan_scene
from vlseg_cli.worlds.drawing.motion import plan_clip
from vlseg_cli.worlds.scene import Scene

_MOTION_STREAM = 1


def draw_clip(
    seed: int, frames: int = 16, size: int = 256, place: str | None = None
) -> tuple[Scene, ...]:
    """Draw the scene of ``seed`` as a clip of ``frames`` scenes, longest side ``size`` px.

    An id means the same thing in every frame; a frame lists only what can be seen in it. More
    frames show the same movement in finer steps.
    """
    return draw_moments(seed, range(frames), frames, size, place)


def draw_moments(
    seed: int, numbers: Sequence[int], frames: int, size: int = 256, place: str | None = None
) -> tuple[Scene, ...]:
    """The frames with these ``numbers`` alone, of a clip of ``frames``."""
    if frames < 1:
        raise UsageError(f"a clip cannot have {frames} frames: ask for 1 or more")
    plan, motion = plan_clip(plan_scene(seed, place), Dice.seeded(seed, _MOTION_STREAM))
    shape = shape_of(plan, size)
    return tuple(render(motion.at(plan, frame, frames), shape) for frame in numbers)
