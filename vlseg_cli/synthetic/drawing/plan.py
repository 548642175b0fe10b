"""A scene before it is drawn: objects, background and lighting in resolution-independent units.

The unit of length is the square root of the image's area, so a plan drawn at a larger size shows
the same scene; a clip is one plan whose objects move.
"""

from dataclasses import dataclass

from vlseg_cli.synthetic.drawing.canvas import RGB, Warp
from vlseg_cli.synthetic.drawing.objects import Drawing


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """One object: its appearance and its pose.

    drawing: which of its category's. warp: its deformation, None for none.
    x, bottom: middle of its lower edge. aspect: width / height. angle: clockwise tilt, degrees.
    outline: line width, 0 for none. depth: painter's order, larger is nearer. random_numbers:
    what its painter draws from, the same in every frame of a clip. on: id of its support.
    """

    id: int
    category: str
    color: str
    rgb: RGB
    x: float
    bottom: float
    height: float
    aspect: float
    mirrored: bool
    angle: float
    outline: float
    depth: float
    random_numbers: tuple[float, ...]
    drawing: Drawing
    warp: Warp | None = None
    on: int | None = None

    @property
    def width(self) -> float:
        """Width of the box before rotation."""
        return self.height * self.aspect

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the box before rotation."""
        half = self.width / 2
        return self.x - half, self.bottom - self.height, self.x + half, self.bottom


@dataclass(frozen=True, slots=True)
class Light:
    """How the finished image is lit.

    contrast, brightness, tint (per color band): factors around 1. gradient: change of brightness
    per image width and height. shade_noise: amplitude of low-frequency noise, a share of the value.
    pixel_noise: standard deviation, gray levels. seed: of both; only pixel noise uses ``frame``.
    """

    contrast: float
    brightness: float
    tint: tuple[float, float, float]
    gradient: tuple[float, float]
    shade_noise: float
    pixel_noise: float
    seed: int
    frame: int = 0


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """The whole scene. aspect: width / height. random_numbers: of the background's painter.

    levels: heights of the background's dividing lines from the top (horizon first), shares of the
    image height. stuff: category names in id order, from id 1; without any, the ground is plain and
    has no category. styles: keys of ``styles.STYLES``, in turn. shift: camera pan, units.
    """

    seed: int
    scene_type: str
    aspect: float
    levels: tuple[float, ...]
    stuff: tuple[str, ...]
    random_numbers: tuple[float, ...]
    things: tuple[PlacedObject, ...]
    light: Light
    styles: tuple[str, ...] = ("shaded",)
    shift: float = 0.0

    @property
    def width(self) -> float:
        """Width of the image in units."""
        return float(self.aspect**0.5)

    @property
    def height(self) -> float:
        """Height of the image in units."""
        return float(self.aspect**-0.5)
