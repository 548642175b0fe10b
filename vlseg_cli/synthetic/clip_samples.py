"""Samples of clips: whole clips with queries for evaluation, a few frames of one for training.

A sentence about category or color holds in every frame of a clip; one about position or size refers
to the first frame, as in Ref-DAVIS. A region prompt is drawn in the frame before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vlseg_cli.schema import (
    Categories,
    ClipQuery,
    ClipSample,
    Expression,
    Frame,
    Prompt,
    Question,
    Region,
    Regions,
    Task,
)
from vlseg_cli.schema.sample import ClipFrames, Query, Sample
from vlseg_cli.synthetic.categories import NAMES, STUFF
from vlseg_cli.synthetic.clip import draw_clip, moving_scene
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import KIND_WEIGHTS, referring_expression
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.samples import SampleMix, expressions, panoptic_query, questions
from vlseg_cli.synthetic.scene import Scene, SceneItem, Sentence

FPS = 12.0
MOTION_INVARIANT = (
    "category",
    "color",
    "all",
)  # kinds of expressions that no movement can make wrong

_STREAM = 3  # of a seed's random numbers; 1 and 2 belong to pictures
_TRIES = 4  # per sentence wanted


@dataclass(frozen=True, slots=True)
class ClipMix:
    """What is asked about a clip of so many frames, longest side ``size`` px.

    expressions: half of them of lasting kinds. questions: half of them in the trained wordings,
    half in those kept for evaluation. objects: given by their masks in the first frame.
    """

    frames: int = 16
    size: int = 192
    expressions: int = 4
    questions: int = 2
    objects: int = 4


def clip_sample(seed: int, mix: ClipMix | None = None) -> ClipSample:
    """The clip of a seed: all names, sentences, questions, and objects by their first masks."""
    mix = mix or ClipMix()
    scenes = draw_clip(seed, mix.frames, mix.size)
    rng = np.random.default_rng((seed, _STREAM))
    queries = [
        _names_query(scenes),
        *(_sentence_query(scenes, Task.REFER, one) for one in _expressions(scenes, rng, mix)),
        *(_sentence_query(scenes, Task.REASON, one) for one in _questions(scenes, rng, mix)),
        *_objects_query(scenes, mix),
    ]
    source = f"world:{seed}"

    def read(index: int) -> Frame:
        return Frame(scenes[index].pixels, source, index, index / FPS)

    names = tuple(f"{index:05d}" for index in range(mix.frames))
    return ClipSample(source, names, read, tuple(queries))


def union_scene(scenes: Sequence[Scene]) -> Scene:
    """The first scene with every item that any scene shows, as it looks where it is first seen."""
    items: dict[int, SceneItem] = {}
    for scene in scenes:
        for item in scene.items:
            items.setdefault(item.id, item)
    return replace(scenes[0], items=tuple(items[number] for number in sorted(items)))


def _expressions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """Lasting kinds about the whole clip and the others about its first frame, in turn."""
    everything = union_scene(scenes)
    brief = [kind for kind in KIND_WEIGHTS if kind not in MOTION_INVARIANT]
    found: dict[str, Sentence] = {}
    for turn in range(_TRIES * mix.expressions):
        if len(found) == mix.expressions:
            break
        kinds = brief if turn % 2 else MOTION_INVARIANT
        scene = scenes[0] if turn % 2 else everything
        sentence = referring_expression(scene, rng, weights={k: KIND_WEIGHTS[k] for k in kinds})
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def _questions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """What is true of a thing is true in every frame: questions are about the whole clip."""
    everything = union_scene(scenes)
    found: dict[str, Sentence] = {}
    for turn in range(_TRIES * mix.questions):
        if len(found) == mix.questions:
            break
        sentence = reasoning_question(everything, rng, heldout=bool(turn % 2))
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def _names_query(scenes: Sequence[Scene]) -> ClipQuery:
    """Every thing of the clip by its name."""
    things = [item for item in union_scene(scenes).items if item.is_thing]
    labels = np.array([NAMES.index(item.category) for item in things], np.int64)
    return _query(scenes, Task.VIS, Categories(NAMES, STUFF), _alone(things), labels)


def _sentence_query(scenes: Sequence[Scene], task: Task, sentence: Sentence) -> ClipQuery:
    prompt = (Question if task is Task.REASON else Expression)(sentence.text)
    targets = [sentence.targets]
    return _query(scenes, task, prompt, targets, np.zeros(1, np.int64), sentence.kind)


def _objects_query(scenes: Sequence[Scene], mix: ClipMix) -> list[ClipQuery]:
    """Things of the first frame, those that move most first; none if it shows no thing."""
    first = scenes[0]
    things = [item for item in first.items if item.is_thing]
    things.sort(key=lambda item: (-_way(scenes, item), item.id))
    things = sorted(things[: mix.objects], key=lambda item: item.id)
    if not things:
        return []
    prompt = Regions(tuple(Region("mask", first.mask(item.id)) for item in things))
    labels = np.arange(len(things))
    return [_query(scenes, Task.VOS, prompt, _alone(things), labels, "mask")]


def _way(scenes: Sequence[Scene], item: SceneItem) -> float:
    """How far an item gets from where it is in the first frame, px; leaving is far."""
    farthest = 0.0
    for scene in scenes:
        here = next((one for one in scene.items if one.id == item.id), None)
        way = max(scene.ids.shape) if here is None else abs(here.center[0] - item.center[0])
        farthest = max(farthest, way)
    return farthest


def _alone(items: Iterable[SceneItem]) -> list[tuple[int, ...]]:
    return [(item.id,) for item in items]


def _query(
    scenes: Sequence[Scene],
    task: Task,
    prompt: Prompt,
    targets: Sequence[tuple[int, ...]],
    labels: NDArray[np.int64],
    kind: str = "",
) -> ClipQuery:
    """targets: the ids of the items that each true thing is the union of."""

    def masks(frame: int) -> NDArray[np.bool_]:
        scene = scenes[frame]
        stacked = np.zeros((len(targets), *scene.ids.shape), bool)
        for mask, ids in zip(stacked, targets, strict=True):
            mask |= scene.mask(*ids)
        return stacked

    objects = tuple(ids[0] for ids in targets)
    return ClipQuery(task, prompt, objects, labels, masks, kind=kind)


_FRAMES_STREAM = 2  # of a seed's random numbers
_CLIP_LENGTH = 24  # of the clip that the moments are taken from
_LASTING_KINDS = ("category", "color", "all", "size")  # kinds of sentence that motion does not undo


def synthetic_clip_frames(seed: int, size: int, mix: SampleMix, frames: int = 3) -> ClipFrames:
    """Draw some frames of the clip of a seed and ask about them; at most 10 frames apart."""
    rng = np.random.default_rng((seed, _FRAMES_STREAM))
    steps = rng.integers(1, 6, frames - 1)
    first = int(rng.integers(0, _CLIP_LENGTH - steps.sum()))
    numbers = [first, *(first + np.cumsum(steps)).tolist()]
    moving = moving_scene(seed, _CLIP_LENGTH, size)
    scenes = tuple(moving.at(number) for number in numbers)
    lasting = {kind: weight for kind, weight in mix.kinds.items() if kind in _LASTING_KINDS}
    asked = replace(mix, kinds=lasting or {"category": 1.0})
    said = [(Task.RVOS, s.text, s.targets, False) for s in expressions(scenes[0], rng, asked)]
    said += [(Task.RVOS, s.text, s.targets, True) for s in questions(scenes[0], rng, asked)]
    samples, things = [], []
    for number, scene in enumerate(scenes):
        named = panoptic_query(scene, rng, mix)
        queries = [named]
        queries += [_frame_query(scenes, scene, *one) for one in said]
        if number and mix.regions:
            queries += _regions(scenes[number - 1], scene, rng, mix.regions)
        frame = Frame(scene.pixels, f"world:{seed}", numbers[number])
        samples.append(Sample(frame, tuple(queries)))
        things.append(_identities(scene, named))
    return ClipFrames(tuple(samples), tuple(things))


def _frame_query(
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
    return region_prompt(scene, rng, choice(rng, REGION_KINDS), item)


def _identities(scene: Scene, named: Query) -> NDArray[np.int64]:
    """Whose mask each mask of a category query is."""
    owners = [scene.ids[mask] for mask in named.masks]
    things = {item.id for item in scene.items if item.is_thing}
    ids = [int(owner[0]) if len(owner) and (owner == owner[0]).all() else -1 for owner in owners]
    return np.array([one if one in things else -1 for one in ids], np.int64)
