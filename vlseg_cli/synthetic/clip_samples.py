"""Samples of clips: whole clips with queries for evaluation, a few frames of one for training.

A sentence about category or color holds in every frame; one about position or size refers to the
first frame, as in Ref-DAVIS. In training, a region prompt is given in the frame before.
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
from vlseg_cli.synthetic.clip import draw_clip, moving_scene
from vlseg_cli.synthetic.hands import DEFAULT_HAND, Hand, hand_named
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import KIND_WEIGHTS, referring_expression
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.samples import (
    SampleMix,
    distinct_sentences,
    expressions,
    panoptic_query,
    questions,
)
from vlseg_cli.synthetic.scene import Scene, SceneItem, Sentence

FPS = 12.0
MOTION_INVARIANT = ("category", "color", "all")  # kinds of expressions that hold in every frame

_CLIP_STREAM, _FRAMES_STREAM = 3, 2  # of a seed's random numbers; stream 1 draws the clip
_TRIES = 4  # per requested sentence
_CLIP_LENGTH = 24  # of the clip that training frames are taken from
_TRAINING_KINDS = (*MOTION_INVARIANT, "size")


@dataclass(frozen=True, slots=True)
class ClipMix:
    """Length, longest side (``size``, px) and number of queries of a clip.

    expressions: half of them of motion-invariant kinds. questions: half of them in trained, half
    in held-out wordings. objects: given by their masks in the first frame. hand: of ``HANDS``.
    """

    frames: int = 16
    size: int = 192
    expressions: int = 4
    questions: int = 2
    objects: int = 4
    hand: str = DEFAULT_HAND


def clip_sample(seed: int, mix: ClipMix | None = None) -> ClipSample:
    """The clip of a seed with queries by category names, sentences and first-frame masks."""
    mix = mix or ClipMix()
    scenes = draw_clip(seed, mix.frames, mix.size, hand=mix.hand)
    rng = np.random.default_rng((seed, _CLIP_STREAM))
    queries = [
        _category_query(scenes, hand_named(mix.hand)),
        *(_sentence_query(scenes, Task.REFER, one) for one in _expressions(scenes, rng, mix)),
        *(_sentence_query(scenes, Task.REASON, one) for one in _questions(scenes, rng, mix)),
        *_object_queries(scenes, mix),
    ]
    source = f"world:{seed}"

    def read(index: int) -> Frame:
        return Frame(scenes[index].pixels, source, index, index / FPS)

    names = tuple(f"{index:05d}" for index in range(mix.frames))
    return ClipSample(source, names, read, tuple(queries))


def union_scene(scenes: Sequence[Scene]) -> Scene:
    """The first scene with the items of all scenes, each with the facts of its first frame."""
    items: dict[int, SceneItem] = {}
    for scene in scenes:
        for item in scene.items:
            items.setdefault(item.id, item)
    return replace(scenes[0], items=tuple(items[number] for number in sorted(items)))


def _expressions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """In turn: motion-invariant kinds about the whole clip, other kinds about the first frame."""
    union = union_scene(scenes)
    invariant = {kind: KIND_WEIGHTS[kind] for kind in MOTION_INVARIANT}
    others = {kind: w for kind, w in KIND_WEIGHTS.items() if kind not in invariant}
    turns = ((union, invariant), (scenes[0], others))

    def draw(attempt: int) -> Sentence | None:
        scene, weights = turns[attempt % 2]
        return referring_expression(scene, rng, weights=weights)

    return distinct_sentences(draw, mix.expressions, _TRIES)


def _questions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """Questions about the whole clip: a fact about an object holds in every frame."""
    union = union_scene(scenes)
    return distinct_sentences(
        lambda attempt: reasoning_question(union, rng, "heldout" if attempt % 2 else "seen"),
        mix.questions,
        _TRIES,
    )


def _category_query(scenes: Sequence[Scene], hand: Hand) -> ClipQuery:
    things = [item for item in union_scene(scenes).items if item.is_thing]
    names = Categories(hand.categories, hand.stuff)
    labels = np.array([names.names.index(item.category) for item in things], np.int64)
    return _clip_query(scenes, Task.VIS, names, _single_ids(things), labels)


def _sentence_query(scenes: Sequence[Scene], task: Task, sentence: Sentence) -> ClipQuery:
    prompt = (Question if task is Task.REASON else Expression)(sentence.text)
    labels = np.zeros(1, np.int64)
    return _clip_query(scenes, task, prompt, [sentence.targets], labels, sentence.kind)


def _object_queries(scenes: Sequence[Scene], mix: ClipMix) -> list[ClipQuery]:
    """The things of the first frame that move most, in one query; none without a thing."""
    first = scenes[0]
    things = [item for item in first.items if item.is_thing]
    things.sort(key=lambda item: (-_displacement(scenes, item), item.id))
    things = sorted(things[: mix.objects], key=lambda item: item.id)
    if not things:
        return []
    prompt = Regions(tuple(Region("mask", first.mask(item.id)) for item in things))
    labels = np.arange(len(things))
    return [_clip_query(scenes, Task.VOS, prompt, _single_ids(things), labels, "mask")]


def _displacement(scenes: Sequence[Scene], item: SceneItem) -> float:
    """Largest horizontal distance from the first frame, px; the longest side for leaving."""
    farthest = 0.0
    for scene in scenes:
        here = next((one for one in scene.items if one.id == item.id), None)
        way = max(scene.ids.shape) if here is None else abs(here.center[0] - item.center[0])
        farthest = max(farthest, way)
    return farthest


def _single_ids(items: Iterable[SceneItem]) -> list[tuple[int, ...]]:
    return [(item.id,) for item in items]


def _clip_query(
    scenes: Sequence[Scene],
    task: Task,
    prompt: Prompt,
    targets: Sequence[tuple[int, ...]],
    labels: NDArray[np.int64],
    kind: str = "",
) -> ClipQuery:
    """targets: per true mask, the ids of the items whose union it is."""
    objects = tuple(ids[0] for ids in targets)

    def masks(frame: int) -> NDArray[np.bool_]:
        return scenes[frame].masks(targets)

    return ClipQuery(task, prompt, objects, labels, masks, kind=kind)


def synthetic_clip_frames(
    seed: int, size: int, mix: SampleMix, frames: int = 3, hand: str = DEFAULT_HAND
) -> ClipFrames:
    """Some frames of the clip of a seed, up to five apart, with the same sentences in each."""
    rng = np.random.default_rng((seed, _FRAMES_STREAM))
    steps = rng.integers(1, 6, frames - 1)
    start = int(rng.integers(0, _CLIP_LENGTH - steps.sum()))
    indices = [start, *(start + np.cumsum(steps)).tolist()]
    clip = moving_scene(seed, _CLIP_LENGTH, size, hand=hand)
    scenes = tuple(clip.at(index) for index in indices)
    first = scenes[0]
    wide = first.language == "wide"
    allowed = MOTION_INVARIANT if wide else _TRAINING_KINDS
    kinds = {kind: weight for kind, weight in mix.kinds.items() if kind in allowed}
    sentence_mix = replace(mix, kinds=kinds or {"category": 1.0})
    said_of = union_scene(scenes) if wide else first
    sentences = [(Task.REFER, one) for one in expressions(said_of, rng, sentence_mix, moving=True)]
    sentences += [(Task.REASON, one) for one in questions(said_of, rng, sentence_mix)]
    samples, things = [], []
    for number, scene in enumerate(scenes):
        categories = panoptic_query(scene, rng, mix)
        queries = [categories, *(_frame_query(said_of, scene, *one) for one in sentences)]
        if number and mix.regions:
            queries += _region_queries(scenes[number - 1], scene, rng, mix.regions)
        frame = Frame(scene.pixels, f"world:{seed}", indices[number])
        samples.append(Sample(frame, tuple(queries)))
        things.append(_identities(scene, categories))
    return ClipFrames(tuple(samples), tuple(things))


def _frame_query(said_of: Scene, scene: Scene, asked: Task, sentence: Sentence) -> Query:
    """A sentence about a scene in one of its frames: the same items, or a question's categories."""
    targets, is_question = set(sentence.targets), asked is Task.REASON
    if is_question:
        categories = {item.category for item in said_of.items if item.id in targets}
        targets = {item.id for item in scene.items if item.category in categories}
    masks = scene.masks([targets])
    masks = masks[masks.any((1, 2))]
    prompt = Question(sentence.text) if is_question else Expression(sentence.text)
    return Query(Task.RVOS, prompt, masks, np.zeros(len(masks), np.int64), scene.ids == 0)


def _region_queries(before: Scene, scene: Scene, rng: Generator, count: int) -> list[Query]:
    """Things of the frame before, half of them given by their exact mask, to segment in this."""
    items = [item for item in shuffled(rng, before.items) if item.is_thing][:count]
    if not items:
        return []
    regions = tuple(_region(before, rng, item) for item in items)
    masks = scene.masks(_single_ids(items))
    labels = np.flatnonzero(masks.any((1, 2)))
    return [Query(Task.VOS, Regions(regions), masks[labels], labels, scene.ids == 0)]


def _region(scene: Scene, rng: Generator, item: SceneItem) -> Region:
    if rng.random() < 0.5:
        return Region("mask", scene.mask(item.id))
    return region_prompt(scene, rng, choice(rng, REGION_KINDS), item)


def _identities(scene: Scene, query: Query) -> NDArray[np.int64]:
    """The id of the thing of each mask of a category query, -1 for stuff."""
    owners = [scene.ids[mask] for mask in query.masks]
    things = {item.id for item in scene.items if item.is_thing}
    ids = [int(owner[0]) if len(owner) and (owner == owner[0]).all() else -1 for owner in owners]
    return np.array([one if one in things else -1 for one in ids], np.int64)
