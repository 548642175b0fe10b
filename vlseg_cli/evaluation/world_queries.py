"""What the drawn world's benchmark asks of each scene, the same for every model and every run.

A scene's questions depend on its own seed alone, so a range can be scored in any order or in parts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator

from vlseg_cli.schema import Expression, Frame, Query, Question, Regions, Sample, Task
from vlseg_cli.synthetic.categories import STUFF
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.reasoning import reason
from vlseg_cli.synthetic.referring import refer
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.samples import SampleMix, panoptic_query
from vlseg_cli.synthetic.scene import KINDS, Scene, Sentence

_STREAM = 2  # of a seed's random numbers; 1 belongs to training samples
_TRIES = 4  # per sentence wanted: a draw may repeat itself

# About as many sentences of each kind: those that fewest scenes offer come first wherever they can
# be had, the others fill up in turn.
_EXPRESSIONS = 5  # per scene
_RARE = ("size", "size", "ordinal", "position")
_FREQUENT = tuple(kind for kind in KINDS if kind not in _RARE)
_QUESTIONS = 2  # of the trained and of the held-out wordings each


def benchmark_sample(seed: int, size: int) -> Sample:
    """Draw the scene of a seed, longest side ``size`` px, and ask all of the benchmark."""
    scene = draw_scene(seed, size)
    return Sample(Frame(scene.pixels, f"world:{seed}"), tuple(benchmark_queries(scene)))


def benchmark_queries(scene: Scene) -> list[Query]:
    """Names (three tasks), expressions of every kind, questions, and four ways of pointing."""
    rng = np.random.default_rng((scene.seed, _STREAM))
    return [
        *_name_queries(scene, rng),
        *_expression_queries(scene, rng),
        *_question_queries(scene, rng),
        *_region_queries(scene, rng),
    ]


def _name_queries(scene: Scene, rng: Generator) -> list[Query]:
    """All names of the world: who owns each pixel, which class it has, and where the things are."""
    panoptic = panoptic_query(scene, rng, SampleMix(all_names=True))
    things = ~np.array(STUFF)[panoptic.labels]
    boxes = replace(
        panoptic, task=Task.DETECT, masks=panoptic.masks[things], labels=panoptic.labels[things]
    )
    return [panoptic, replace(panoptic, task=Task.SEMANTIC), boxes]


def _expression_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Different sentences, rare kinds first, then the frequent ones from where the seed points."""
    turn = scene.seed % len(_FREQUENT)
    found: dict[str, Sentence] = {}
    for kind in (*_RARE, *_FREQUENT[turn:], *_FREQUENT[:turn]):
        if len(found) < _EXPRESSIONS:
            _add_different(found, partial(refer, scene, rng, kind))
    referred = [_sentence_query(scene, Task.REFER, sentence) for sentence in found.values()]
    # A box, too, where one thing alone is meant: several in one box are no place.
    return referred + [
        replace(query, task=Task.GROUND)
        for query, sentence in zip(referred, found.values(), strict=True)
        if len(sentence.targets) == 1
    ]


def _question_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Questions in trained and in held-out wordings."""
    found: dict[str, Sentence] = {}
    for heldout in (False, True) * _QUESTIONS:
        _add_different(found, partial(reason, scene, rng, heldout))
    return [_sentence_query(scene, Task.REASON, sentence) for sentence in found.values()]


def _region_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Every thing of the scene, pointed at in each of the four ways."""
    things = [item for item in scene.items if item.is_thing]
    if not things:
        return []
    masks = np.stack([scene.ids == item.id for item in things])
    return [
        Query(
            Task.INTERACTIVE,
            Regions(tuple(region_prompt(scene, rng, kind, item) for item in things)),
            masks,
            np.arange(len(things)),
            ignore=scene.ids == 0,
            kind=kind,
        )
        for kind in REGION_KINDS
    ]


def _add_different(found: dict[str, Sentence], draw: Callable[[], Sentence | None]) -> None:
    """Draw one sentence of a new text into ``found``, if the scene offers one."""
    for _ in range(_TRIES):
        sentence = draw()
        if sentence is not None and sentence.text not in found:
            found[sentence.text] = sentence
            return


def _sentence_query(scene: Scene, task: Task, sentence: Sentence) -> Query:
    prompt = (Question if task is Task.REASON else Expression)(sentence.text)
    masks = scene.mask(*sentence.targets)[None]
    return Query(task, prompt, masks, np.zeros(1, np.int64), scene.ids == 0, sentence.kind)
