"""Write scenes to disk: PNG images, COCO instances and panoptic files, sentences, DAVIS clips.

Every file is written atomically, and the same seeds give the same bytes.
"""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vlseg_cli.outputs.atomic import remove_partial_files
from vlseg_cli.outputs.colors import color_of
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic import coco
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import DEFAULT_HAND, hand_named
from vlseg_cli.synthetic.samples import SampleMix, expressions, questions
from vlseg_cli.synthetic.scene import Scene

_TRAINED = SampleMix(sentences=8, questions=4)
_HELDOUT = SampleMix(questions=4, heldout=True)
_PALETTE = [0, 0, 0, *(level for index in range(255) for level in color_of(index))]
_STREAM = 3  # of a seed's random numbers, apart from training samples and the benchmark


@dataclass(slots=True)
class SceneTables:
    """The records of all scenes, by the JSON file that they are written to."""

    images: list[coco.Record] = field(default_factory=list)
    instances: list[coco.Record] = field(default_factory=list)
    panoptic: list[coco.Record] = field(default_factory=list)
    refer: list[coco.Record] = field(default_factory=list)
    reason: list[coco.Record] = field(default_factory=list)


def export_scenes(
    out: Path,
    seeds: range,
    size: int = 256,
    video: bool = False,
    on_scene: Callable[[int], None] | None = None,
    hand: str = DEFAULT_HAND,
) -> SceneTables:
    """Draw every seed and write it below ``out``; returns the contents of the JSON files.

    images/SEED.png; instances.json; panoptic.json and panoptic/SEED.png; refer.json; reason.json.
    size: longest side, px. video: also a clip per seed, in DAVIS's layout. on_scene: called with
    each finished seed. hand: a key of ``HANDS``. Raises UsageError if ``out`` cannot be a folder,
    OutputError if a file cannot be written.
    """
    folder = OutputFolder(out)
    folder.make()
    remove_partial_files(out)
    tables = SceneTables()
    for seed in seeds:
        scene = draw_scene(seed, size, hand=hand)
        name = f"{seed:06d}.png"
        _write_image(folder, Image.fromarray(scene.pixels), "images", name)
        _write_image(folder, Image.fromarray(coco.panoptic_pixels(scene)), "panoptic", name)
        _add(tables, scene, name)
        if video:
            _write_clip(folder, seed, size, hand)
        if on_scene is not None:
            on_scene(seed)
    _write_tables(folder, tables, seeds, hand_named(hand).categories)
    return tables


def _write_clip(folder: OutputFolder, seed: int, size: int, hand: str) -> None:
    """Draw the clip of a seed as JPEGImages/SEED/00000.jpg, … and Annotations/SEED/00000.png, ….

    Annotations are palette PNGs: 0 is no thing, i the i-th thing of the clip in every frame.
    """
    frames = draw_clip(seed, size=size, hand=hand)
    things = sorted({item.id for frame in frames for item in frame.items if item.is_thing})
    table = np.zeros(256, np.uint8)
    table[things] = range(1, len(things) + 1)
    for number, frame in enumerate(frames):
        clip, name = f"{seed:06d}", f"{number:05d}"
        pixels = Image.fromarray(frame.pixels)
        _write_image(folder, pixels, "JPEGImages", clip, f"{name}.jpg")
        owners = Image.fromarray(table[frame.ids])
        owners.putpalette(_PALETTE)
        _write_image(folder, owners, "Annotations", clip, f"{name}.png")


def _write_image(folder: OutputFolder, image: Image.Image, *parts: str) -> None:
    """Write an image in the format of its name's suffix."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG" if parts[-1].endswith(".jpg") else "PNG", quality=95)
    folder.write(buffer.getvalue(), *parts)


def _add(tables: SceneTables, scene: Scene, name: str) -> None:
    rng = np.random.default_rng((scene.seed, _STREAM))
    tables.images.append(coco.image_record(scene, name))
    tables.instances += coco.instance_records(scene)
    tables.panoptic.append(coco.panoptic_record(scene, name))
    for sentence in expressions(scene, rng, _TRAINED):
        tables.refer.append(coco.sentence_record(scene, sentence, len(tables.refer) + 1))
    for sentence in questions(scene, rng, _TRAINED) + questions(scene, rng, _HELDOUT):
        tables.reason.append(coco.sentence_record(scene, sentence, len(tables.reason) + 1))


def _write_tables(
    folder: OutputFolder, tables: SceneTables, seeds: range, names: Sequence[str]
) -> None:
    shared = {
        "info": {"description": f"Scenes drawn by vlseg, seeds {seeds.start}:{seeds.stop}"},
        "images": tables.images,
        "categories": coco.scene_categories(names),
    }
    for name, annotations in (
        ("instances", tables.instances),
        ("panoptic", tables.panoptic),
        ("refer", tables.refer),
        ("reason", tables.reason),
    ):
        content = json.dumps({**shared, "annotations": annotations})
        folder.write(content.encode(), f"{name}.json")
