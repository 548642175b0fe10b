"""Training and test samples of still scenes: one scene and queries of every task about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.random import Generator

from vlseg_cli.schema.inputs import Frame
from vlseg_cli.schema.prompt import Categories, Expression, Question, Regions, Task
from vlseg_cli.schema.sample import Query, Sample
from vlseg_cli.schema.tables import FormerValues
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import DEFAULT_HAND
from vlseg_cli.synthetic.language.wide.outside import outside_noun
from vlseg_cli.synthetic.reasoning import no_target_question, reasoning_question
from vlseg_cli.synthetic.referring import KIND_WEIGHTS, no_target_expression, referring_expression
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.rng import choice, shuffled
from vlseg_cli.synthetic.scene import Scene, Sentence, by_category

_STREAM = 1  # of a seed's random numbers
_TRIES = 3  # per requested sentence


@dataclass(frozen=True, slots=True)
class SampleMix:
    """How many queries of which kinds a sample has.

    sentences, questions: number of expressions and questions. negatives: absent names in the
    panoptic prompt. outside: how many of them, on average, no category has, such as 'zebra'.
    regions: number of region prompts. kinds: weight of each kind of expression. no_target,
    no_answer: shares of expressions and of questions without a target. heldout: use the wordings
    excluded from training (for evaluation only). all_names: panoptic prompt with every name, in
    table order. Samples of the first hand have an answer to each question and only known names.
    """

    sentences: int = 6
    questions: int = 3
    negatives: int = 10
    regions: int = 4
    kinds: Annotated[Mapping[str, float], FormerValues({"colour": "color"})] = field(
        default_factory=lambda: dict(KIND_WEIGHTS)
    )
    no_target: float = 0.05
    no_answer: float = 0.1
    outside: float = 2.0
    heldout: bool = False
    all_names: bool = False


def synthetic_sample(
    seed: int, size: int = 192, mix: SampleMix | None = None, hand: str = DEFAULT_HAND
) -> Sample:
    """The sample of a seed, drawn by a key of ``HANDS``; size: longest side of the image, px.

    >>> [query.task.value for query in synthetic_sample(7, 64).queries][:2]
    ['panoptic', 'refer']
    """
    rng = np.random.default_rng((seed, _STREAM))
    return scene_sample(draw_scene(seed, size, hand=hand), rng, mix or SampleMix())


def scene_sample(scene: Scene, rng: Generator, mix: SampleMix) -> Sample:
    """Queries about an existing scene."""
    queries = [panoptic_query(scene, rng, mix)]
    queries += [_sentence_query(scene, Task.REFER, s) for s in expressions(scene, rng, mix)]
    queries += [_sentence_query(scene, Task.REASON, s) for s in questions(scene, rng, mix)]
    if mix.regions and scene.items:
        queries.append(_interactive_query(scene, rng, mix.regions))
    return Sample(Frame(scene.pixels, f"world:{scene.seed}"), tuple(queries))


def expressions(
    scene: Scene, rng: Generator, mix: SampleMix, moving: bool = False
) -> list[Sentence]:
    """Up to ``mix.sentences`` different referring expressions.

    moving: those without a target are about what movement does not change.
    """

    def draw(_: int) -> Sentence | None:
        if rng.random() < mix.no_target:
            return no_target_expression(scene, rng, mix.heldout, moving)
        return referring_expression(scene, rng, weights=mix.kinds)

    return distinct_sentences(draw, mix.sentences, _TRIES)


def questions(scene: Scene, rng: Generator, mix: SampleMix) -> list[Sentence]:
    """Up to ``mix.questions`` different questions."""
    wide = scene.language == "wide"

    def draw(_: int) -> Sentence | None:
        if wide and rng.random() < mix.no_answer:
            return no_target_question(scene, rng)
        return reasoning_question(scene, rng, "heldout" if mix.heldout else "seen")

    return distinct_sentences(draw, mix.questions, _TRIES)


def distinct_sentences(
    draw: Callable[[int], Sentence | None], count: int, tries: int
) -> list[Sentence]:
    """Up to ``count`` different sentences, each ``draw``n by attempt number in up to ``tries``."""
    found: dict[str, Sentence] = {}
    for attempt in range(tries * count):
        if len(found) == count:
            break
        sentence = draw(attempt)
        if sentence is not None:
            found.setdefault(sentence.text, sentence)
    return list(found.values())


def panoptic_query(scene: Scene, rng: Generator, mix: SampleMix) -> Query:
    """One mask per thing and one per stuff category; void pixels are ignored."""
    present = by_category(scene)
    names = scene.categories
    if not mix.all_names:
        absent = _absent_names(scene, rng, mix)
        names = tuple(shuffled(rng, (*present, *absent)))
    segments: list[tuple[int, tuple[int, ...]]] = []
    for name, items in present.items():
        ids = tuple(item.id for item in items)
        groups = [(one,) for one in ids] if BY_NAME[name].is_thing else [ids]
        segments += [(names.index(name), group) for group in groups]
    return Query(
        Task.PANOPTIC,
        Categories(names, tuple(name in BY_NAME and not BY_NAME[name].is_thing for name in names)),
        scene.masks(group for _, group in segments),
        np.array([label for label, _ in segments], np.int64),
        ignore=scene.ids == 0,
    )


def _absent_names(scene: Scene, rng: Generator, mix: SampleMix) -> list[str]:
    """Up to ``mix.negatives`` different names of nothing in the scene."""
    present = by_category(scene)
    outside: dict[str, None] = {}
    if scene.language == "wide":
        for _ in range(mix.negatives):
            if rng.random() * mix.negatives < mix.outside:
                outside[outside_noun(rng, mix.heldout)] = None
    absent = shuffled(rng, (name for name in scene.categories if name not in present))
    return [*outside, *absent[: mix.negatives - len(outside)]]


def _interactive_query(scene: Scene, rng: Generator, count: int) -> Query:
    """Region prompts of random kinds for up to ``count`` items, things first."""
    items = shuffled(rng, scene.items)
    items.sort(key=lambda item: not item.is_thing)
    items = items[:count]
    regions = tuple(region_prompt(scene, rng, choice(rng, REGION_KINDS), item) for item in items)
    masks = scene.masks((item.id,) for item in items)
    labels = np.arange(len(items))
    return Query(Task.INTERACTIVE, Regions(regions), masks, labels, scene.ids == 0, "mixed")


def _sentence_query(scene: Scene, task: Task, sentence: Sentence) -> Query:
    prompt = (Question if task is Task.REASON else Expression)(sentence.text)
    masks = scene.masks([sentence.targets] if sentence.targets else [])
    labels = np.zeros(len(masks), np.int64)
    return Query(task, prompt, masks, labels, scene.ids == 0, sentence.kind)
