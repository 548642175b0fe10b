"""Training and test samples of the drawn world: one scene and everything asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prompt import Categories, Expression, Question, Regions, Task
from vlseg_cli.schema.sample import Query, Sample
from vlseg_cli.schema.tables import FormerValues
from vlseg_cli.synthetic.categories import BY_NAME, NAMES
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import KIND_WEIGHTS, no_target_expression, referring_expression
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.scene import Scene, Sentence, by_category

_STREAM = 1  # of a seed's random numbers
_TRIES = 3  # per sentence wanted, before fewer are given


@dataclass(frozen=True, slots=True)
class SampleMix:
    """What is asked about each scene.

    sentences, questions: how many expressions and questions. negatives: absent names among the
    panoptic prompt's. regions: how many region prompts. kinds: weight of each sentence kind.
    no_target: share of sentences that mean nothing in the scene. heldout: ask the wordings kept
    out of training (for evaluation only). all_names: panoptic prompt in full, in table order.
    """

    sentences: int = 6
    questions: int = 3
    negatives: int = 10
    regions: int = 4
    kinds: Annotated[Mapping[str, float], FormerValues({"colour": "color"})] = field(
        default_factory=lambda: dict(KIND_WEIGHTS)
    )
    no_target: float = 0.05
    heldout: bool = False
    all_names: bool = False


def synthetic_sample(seed: int, size: int = 192, mix: SampleMix | None = None) -> Sample:
    """Draw the scene of a seed and ask about it; size: longest side of the picture, px."""
    rng = np.random.default_rng((seed, _STREAM))
    return scene_sample(draw_scene(seed, size), rng, mix or SampleMix())


def scene_sample(scene: Scene, rng: Generator, mix: SampleMix) -> Sample:
    """Ask about a scene that is already there."""
    queries = [panoptic_query(scene, rng, mix)]
    queries += [_sentence_query(scene, Task.REFER, s) for s in expressions(scene, rng, mix)]
    queries += [_sentence_query(scene, Task.REASON, s) for s in questions(scene, rng, mix)]
    if mix.regions and scene.items:
        queries.append(interactive_query(scene, rng, mix.regions))
    return Sample(Frame(scene.pixels, f"world:{scene.seed}"), tuple(queries))


def expressions(scene: Scene, rng: Generator, mix: SampleMix) -> list[Sentence]:
    """Up to ``mix.sentences`` different referring expressions."""
    found: dict[str, Sentence] = {}
    for _ in range(_TRIES * mix.sentences):
        if len(found) == mix.sentences:
            break
        absent = rng.random() < mix.no_target
        sentence = (
            no_target_expression(scene, rng)
            if absent
            else referring_expression(scene, rng, weights=mix.kinds)
        )
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def questions(scene: Scene, rng: Generator, mix: SampleMix) -> list[Sentence]:
    """Up to ``mix.questions`` different questions of the knowledge table."""
    found: dict[str, Sentence] = {}
    for _ in range(_TRIES * mix.questions):
        if len(found) == mix.questions:
            break
        sentence = reasoning_question(scene, rng, mix.heldout)
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def panoptic_query(scene: Scene, rng: Generator, mix: SampleMix) -> Query:
    """One mask per thing and one per stuff category; void pixels are ignored."""
    present = by_category(scene)
    names = NAMES
    if not mix.all_names:
        absent = shuffled(rng, (name for name in NAMES if name not in present))
        names = tuple(shuffled(rng, (*present, *absent[: mix.negatives])))
    segments: list[tuple[int, tuple[int, ...]]] = []
    for name, items in present.items():
        ids = tuple(item.id for item in items)
        parts = [(one,) for one in ids] if BY_NAME[name].is_thing else [ids]
        segments += [(names.index(name), part) for part in parts]
    return Query(
        Task.PANOPTIC,
        Categories(names, tuple(not BY_NAME[name].is_thing for name in names)),
        _stacked(scene, [part for _, part in segments]),
        np.array([label for label, _ in segments], np.int64),
        ignore=scene.ids == 0,
    )


def interactive_query(scene: Scene, rng: Generator, count: int) -> Query:
    """Up to ``count`` items, things first, each pointed at in a random way."""
    items = shuffled(rng, scene.items)
    items.sort(key=lambda item: not item.is_thing)
    items = items[:count]
    regions = tuple(region_prompt(scene, rng, choice(rng, REGION_KINDS), item) for item in items)
    masks = _stacked(scene, [(item.id,) for item in items])
    labels = np.arange(len(items))
    return Query(Task.INTERACTIVE, Regions(regions), masks, labels, scene.ids == 0, "mixed")


def _sentence_query(scene: Scene, task: Task, sentence: Sentence) -> Query:
    prompt = (Question if task is Task.REASON else Expression)(sentence.text)
    masks = _stacked(scene, [sentence.targets] if sentence.targets else [])
    labels = np.zeros(len(masks), np.int64)
    return Query(task, prompt, masks, labels, scene.ids == 0, sentence.kind)


def _stacked(scene: Scene, parts: list[tuple[int, ...]]) -> NDArray[np.bool_]:
    """(N, H, W) bool: the union of each part's items."""
    masks = np.zeros((len(parts), *scene.ids.shape), bool)
    for mask, ids in zip(masks, parts, strict=True):
        for one in ids:
            mask |= scene.ids == one
    return masks
