"""A scene in motion: the same things, drawn again at every moment, with the same ids throughout."""

from dataclasses import dataclass

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.draw import render, shape_of
from vlseg_cli.synthetic.drawing.layout import plan_scene
from vlseg_cli.synthetic.drawing.motion import Motion, plan_clip
from vlseg_cli.synthetic.drawing.plan import ScenePlan
from vlseg_cli.synthetic.drawing.rng import DrawingRng
from vlseg_cli.synthetic.scene import Scene

_MOTION_STREAM = 1


@dataclass(frozen=True, slots=True)
class MovingScene:
    """A clip that is drawn frame by frame, when a frame is asked for. shape: (H, W) px."""

    plan: ScenePlan
    motion: Motion
    shape: tuple[int, int]
    frames: int

    def at(self, frame: int) -> Scene:
        """Draw frame number ``frame``; the same number, the same scene."""
        return render(self.motion.at(self.plan, frame, self.frames), self.shape)


def moving_scene(
    seed: int, frames: int = 16, size: int = 256, place: str | None = None
) -> MovingScene:
    """The scene of ``seed`` as a clip of ``frames`` scenes, longest side ``size`` px.

    More frames show the same movement in finer steps. Raises UsageError for no frames.
    """
    if frames < 1:
        raise UsageError(f"a clip cannot have {frames} frames: ask for 1 or more")
    plan, motion = plan_clip(plan_scene(seed, place), DrawingRng.seeded(seed, _MOTION_STREAM))
    return MovingScene(plan, motion, shape_of(plan, size), frames)


def draw_clip(
    seed: int, frames: int = 16, size: int = 256, place: str | None = None
) -> tuple[Scene, ...]:
    """Draw a whole clip at once; see ``moving_scene``.

    An id means the same thing in every frame; a frame lists only what can be seen in it.
    """
    scene = moving_scene(seed, frames, size, place)
    return tuple(scene.at(frame) for frame in range(frames))
