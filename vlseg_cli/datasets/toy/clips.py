"""Drawn clips as video specimens write them: frames, numbered things, sentences that stay true."""

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.datasets.toy.scenes import write_jpeg
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.referring import referring_expression
from vlseg_cli.synthetic.scene import Scene

MOST_OBJECTS = 3  # of a specimen's clip: a few tell as much as many
_STREAM = 6  # of a seed's random numbers
_TRIES = 16  # sentences drawn per thing


@dataclass(frozen=True, slots=True)
class ToyObject:
    """number: from 1 in the data set; id: of the item in every scene; category: its name."""

    number: int
    id: int
    category: str


@dataclass(frozen=True)
class ToyClip:
    """A clip with at most ``MOST_OBJECTS`` of its things, those that the first frame shows."""

    name: str
    scenes: tuple[Scene, ...]
    things: tuple[ToyObject, ...]

    @cached_property
    def names(self) -> list[str]:
        """What the frames are called."""
        return [f"{number:05d}" for number in range(len(self.scenes))]

    def numbers(self, scene: Scene) -> NDArray[np.uint8]:
        """(H, W): numbers of the things in a frame, 0 elsewhere."""
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
            write_numbers(folder, numbers, *parts, self.name, f"{name}.png")


def toy_clip(seed: int, frames: int, size: int) -> ToyClip:
    """Draw the clip of a seed: ``frames`` frames, ``size`` px along the longest side."""
    scenes = draw_clip(seed, frames, size)
    things = [item for item in scenes[0].items if item.is_thing][:MOST_OBJECTS]
    numbered = (ToyObject(n, item.id, item.category) for n, item in enumerate(things, start=1))
    return ToyClip(f"{seed:06d}", scenes, tuple(numbered))


def expressions(clip: ToyClip, thing: ToyObject, count: int) -> list[str]:
    """``count`` sentences that mean a thing in the first frame; the same again if it has fewer."""
    scene = clip.scenes[0]
    rng = np.random.default_rng((scene.seed, thing.id, _STREAM))
    drawn = (referring_expression(scene, rng) for _ in range(_TRIES))
    texts = [one.text for one in drawn if one is not None and one.targets == (thing.id,)]
    found = list(dict.fromkeys(texts)) or [f"the {thing.category}"]
    return [found[number % len(found)] for number in range(count)]


def write_numbers(folder: OutputFolder, numbers: NDArray[np.uint8], *parts: str) -> None:
    """Write a palette PNG of object numbers (H, W)."""
    picture = Image.fromarray(numbers)
    picture.putpalette(DAVIS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    folder.write(buffer.getvalue(), *parts)
