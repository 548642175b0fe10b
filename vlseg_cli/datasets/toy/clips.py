"""Clips of the toy sets: frames, numbered objects and expressions in the layout of DAVIS."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.toy.scenes import write_jpeg, write_palette_png
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.referring import referring_expression
from vlseg_cli.synthetic.scene import Scene

_MAX_OBJECTS = 3  # per clip
_STREAM = 6  # of a seed's random numbers
_TRIES = 16  # expressions per object


@dataclass(frozen=True, slots=True)
class ToyObject:
    """number: from 1 in the data set; id: of the item in every scene; category: its name."""

    number: int
    id: int
    category: str


@dataclass(frozen=True)
class ToyClip:
    """A clip with at most ``_MAX_OBJECTS`` of the things in its first frame."""

    name: str
    scenes: tuple[Scene, ...]
    things: tuple[ToyObject, ...]

    @cached_property
    def names(self) -> list[str]:
        """Names of the frames."""
        return [f"{number:05d}" for number in range(len(self.scenes))]

    def numbers(self, scene: Scene) -> NDArray[np.uint8]:
        """Object numbers (H, W) in a frame, 0 elsewhere."""
        table = np.zeros(256, np.uint8)
        for thing in self.things:
            table[thing.id] = thing.number
        return table[scene.ids]

    def write_frames(self, folder: OutputFolder, *parts: str) -> None:
        """Write ``PARTS/NAME/00000.jpg``, …."""
        for name, scene in zip(self.names, self.scenes, strict=True):
            write_jpeg(folder, scene, *parts, self.name, f"{name}.jpg")

    def write_numbers(self, folder: OutputFolder, *parts: str, void: bool = False) -> None:
        """Write ``PARTS/NAME/00000.png``, …; void: 255 where the scenes have it."""
        for name, scene in zip(self.names, self.scenes, strict=True):
            numbers = self.numbers(scene)
            if void:
                numbers[scene.ids == 0] = 255
            write_palette_png(folder, numbers, *parts, self.name, f"{name}.png")


def toy_clip(seed: int, frames: int, size: int) -> ToyClip:
    """The clip of a seed: ``frames`` frames, longest side ``size`` px."""
    scenes = draw_clip(seed, frames, size)
    things = [item for item in scenes[0].items if item.is_thing][:_MAX_OBJECTS]
    numbered = (ToyObject(n, item.id, item.category) for n, item in enumerate(things, start=1))
    return ToyClip(f"{seed:06d}", scenes, tuple(numbered))


def clips_with_objects(seeds: range, frames: int, size: int) -> Iterator[ToyClip]:
    """The clips whose first frame shows a thing."""
    clips = (toy_clip(seed, frames, size) for seed in seeds)
    return (clip for clip in clips if clip.things)


def expressions(clip: ToyClip, thing: ToyObject, count: int) -> list[str]:
    """``count`` expressions for an object of the first frame, repeated if there are fewer."""
    scene = clip.scenes[0]
    rng = np.random.default_rng((scene.seed, thing.id, _STREAM))
    drawn = (referring_expression(scene, rng) for _ in range(_TRIES))
    texts = [one.text for one in drawn if one is not None and one.targets == (thing.id,)]
    found = list(dict.fromkeys(texts)) or [f"the {thing.category}"]
    return [found[number % len(found)] for number in range(count)]
