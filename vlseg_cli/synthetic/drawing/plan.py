"""A scene before it is drawn: what stands where, in units that do not know about pixels.

The unit of length is the square root of the picture's area, so a plan drawn larger shows the same
scene larger; a clip is one plan whose placements move.
"""

from dataclasses import dataclass

from vlseg_cli.synthetic.drawing.colors import RGB


@dataclass(frozen=True, slots=True)
class Placed:
    """One thing: its look for life, and its pose now.

    x, base: middle of its foot. tall: height, ratio: width / height. degrees: leaning to the right.
    outline: line width, 0 for none. depth: painter's order, larger is nearer. traits: see Dice.
    on: id of its support.
    """

    id: int
    category: str
    word: str
    rgb: RGB
    x: float
    base: float
    tall: float
    ratio: float
    mirrored: bool
    degrees: float
    outline: float
    depth: float
    traits: tuple[float, ...]
    on: int | None = None

    @property
    def wide(self) -> float:
        """Width of the unturned box."""
        return self.tall * self.ratio

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the unturned box."""
        half = self.wide / 2
        return self.x - half, self.base - self.tall, self.x + half, self.base


@dataclass(frozen=True, slots=True)
class Light:
    """How the finished picture is lit.

    contrast, brightness, cast (per color band): factors around 1. slope: change of brightness
    per picture width and height. cloud: strength of low-frequency noise, a share of the value.
    grain: of pixel noise, grey levels. seed: of both; the grain alone is new in every frame.
    """

    contrast: float
    brightness: float
    cast: tuple[float, float, float]
    slope: tuple[float, float]
    cloud: float
    grain: float
    seed: int
    frame: int = 0


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """The whole scene. ``aspect`` is width / height; ``ground`` are the traits of the backdrop.

    levels: heights of the backdrop's lines from the top (horizon first), shares of the picture's
    height. stuff: names in id order, from id 1. shift: how far the camera has panned, in units.
    """

    seed: int
    place: str
    aspect: float
    levels: tuple[float, ...]
    stuff: tuple[str, ...]
    ground: tuple[float, ...]
    things: tuple[Placed, ...]
    light: Light
    shift: float = 0.0

    @property
    def width(self) -> float:
        """Width of the picture in units."""
        return float(self.aspect**0.5)

    @property
    def height(self) -> float:
        """Height of the picture in units."""
        return float(self.aspect**-0.5)
