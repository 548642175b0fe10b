"""Clips of the drawn world with everything asked about them, and the truth in every frame.

Sentences hold for the whole clip: those about what a thing is or looks like have one meaning in
every frame; those about its place or size are said of the first frame, as in Ref-DAVIS.
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
from vlseg_cli.synthetic.categories import NAMES, STUFF
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.reasoning import reason
from vlseg_cli.synthetic.referring import KIND_WEIGHTS, refer
from vlseg_cli.synthetic.scene import Scene, SceneItem, Sentence

FPS = 12.0
LASTING = ("category", "color", "all")  # kinds of expressions that no movement can make wrong

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


def whole(scenes: Sequence[Scene]) -> Scene:
    """The first scene with every item that any scene shows, as it looks where it is first seen."""
    items: dict[int, SceneItem] = {}
    for scene in scenes:
        for item in scene.items:
            items.setdefault(item.id, item)
    return replace(scenes[0], items=tuple(items[number] for number in sorted(items)))


def _expressions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """Lasting kinds about the whole clip and the others about its first frame, in turn."""
    everything = whole(scenes)
    brief = [kind for kind in KIND_WEIGHTS if kind not in LASTING]
    found: dict[str, Sentence] = {}
    for turn in range(_TRIES * mix.expressions):
        if len(found) == mix.expressions:
            break
        kinds = brief if turn % 2 else LASTING
        scene = scenes[0] if turn % 2 else everything
        sentence = refer(scene, rng, weights={kind: KIND_WEIGHTS[kind] for kind in kinds})
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def _questions(scenes: Sequence[Scene], rng: Generator, mix: ClipMix) -> list[Sentence]:
    """What is true of a thing is true in every frame: questions are about the whole clip."""
    everything = whole(scenes)
    found: dict[str, Sentence] = {}
    for turn in range(_TRIES * mix.questions):
        if len(found) == mix.questions:
            break
        sentence = reason(everything, rng, heldout=bool(turn % 2))
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def _names_query(scenes: Sequence[Scene]) -> ClipQuery:
    """Every thing of the clip by its name."""
    things = [item for item in whole(scenes).items if item.is_thing]
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
