"""What video models learn from: a few frames of one clip, and questions that hold in all of them.

A sentence names things in the first frame and means the same things later; a question of the
knowledge table means everything of its categories. A region is drawn in the frame before the one
that it is looked for in.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prompt import Expression, Question, Region, Regions, Task
from vlseg_cli.schema.sample import ClipFrames, Query, Sample
from vlseg_cli.synthetic.clip import moving_scene
from vlseg_cli.synthetic.language.rng import pick, shuffled
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.samples import SampleMix, expressions, panoptic_query, questions
from vlseg_cli.synthetic.scene import Scene, SceneItem

_STREAM = 2  # of a seed's random numbers
_FRAMES = 24  # of the clip that the moments are taken from
_LASTING = ("category", "color", "all", "size")  # kinds of sentence that motion does not undo


def synthetic_clip_frames(seed: int, size: int, mix: SampleMix, frames: int = 3) -> ClipFrames:
    """Draw some frames of the clip of a seed and ask about them; at most 10 frames apart."""
    rng = np.random.default_rng((seed, _STREAM))
    steps = rng.integers(1, 6, frames - 1)
    first = int(rng.integers(0, _FRAMES - steps.sum()))
    numbers = [first, *(first + np.cumsum(steps)).tolist()]
    moving = moving_scene(seed, _FRAMES, size)
    scenes = tuple(moving.at(number) for number in numbers)
    lasting = {kind: weight for kind, weight in mix.kinds.items() if kind in _LASTING}
    asked = replace(mix, kinds=lasting or {"category": 1.0})
    said = [(Task.RVOS, s.text, s.targets, False) for s in expressions(scenes[0], rng, asked)]
    said += [(Task.RVOS, s.text, s.targets, True) for s in questions(scenes[0], rng, asked)]
    samples, things = [], []
    for number, scene in enumerate(scenes):
        named = panoptic_query(scene, rng, mix)
        queries = [named]
        queries += [_sentence(scenes, scene, *one) for one in said]
        if number and mix.regions:
            queries += _regions(scenes[number - 1], scene, rng, mix.regions)
        frame = Frame(scene.pixels, f"world:{seed}", numbers[number])
        samples.append(Sample(frame, tuple(queries)))
        things.append(_identities(scene, named))
    return ClipFrames(tuple(samples), tuple(things))


def _sentence(
    scenes: Sequence[Scene],
    scene: Scene,
    task: Task,
    text: str,
    targets: tuple[int, ...],
    question: bool,
) -> Query:
    """The truth of a sentence about the first frame in another frame."""
    wanted = set(targets)
    if question:
        meant = {item.category for item in scenes[0].items if item.id in wanted}
        wanted = {item.id for item in scene.items if item.category in meant}
    mask = scene.mask(*wanted)
    masks = mask[None] if mask.any() else np.zeros((0, *mask.shape), bool)
    prompt = Question(text) if question else Expression(text)
    return Query(task, prompt, masks, np.zeros(len(masks), np.int64), scene.ids == 0)


def _regions(before: Scene, scene: Scene, rng: Generator, count: int) -> list[Query]:
    """Things drawn in the frame before, half of them with their exact mask, looked for now."""
    items = [item for item in shuffled(rng, before.items) if item.is_thing][:count]
    if not items:
        return []
    regions = tuple(_region(before, rng, item) for item in items)
    found = [(label, scene.mask(item.id)) for label, item in enumerate(items)]
    found = [(label, mask) for label, mask in found if mask.any()]
    nothing = np.zeros((0, *scene.ids.shape), bool)
    masks = np.stack([mask for _, mask in found]) if found else nothing
    labels = np.array([label for label, _ in found], np.int64)
    return [Query(Task.VOS, Regions(regions), masks, labels, scene.ids == 0)]


def _region(scene: Scene, rng: Generator, item: SceneItem) -> Region:
    if rng.random() < 0.5:
        return Region("mask", scene.mask(item.id))
    return region_prompt(scene, rng, pick(rng, REGION_KINDS), item)


def _identities(scene: Scene, named: Query) -> NDArray[np.int64]:
    """Whose mask each mask of a category query is."""
    owners = [scene.ids[mask] for mask in named.masks]
    things = {item.id for item in scene.items if item.is_thing}
    ids = [int(owner[0]) if len(owner) and (owner == owner[0]).all() else -1 for owner in owners]
    return np.array([one if one in things else -1 for one in ids], np.int64)
