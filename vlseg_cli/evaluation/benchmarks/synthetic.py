"""``vlseg eval world``: all prompts of held-out synthetic scenes, or clips, given by their seeds.

The prompts of a scene depend on its own seed alone, the same for every model and run, so a range
can be evaluated in any order, in shards, and resumed.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator

from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, always
from vlseg_cli.evaluation.plan import PlannedBenchmark
from vlseg_cli.evaluation.scorers.base import Scorer
from vlseg_cli.evaluation.scorers.synthetic import SyntheticClipScorer, SyntheticSceneScorer
from vlseg_cli.schema import (
    ClipSample,
    Expression,
    Frame,
    Query,
    Question,
    Regions,
    Sample,
    Task,
    UsageError,
)
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.clip_samples import ClipMix, clip_sample
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import DEFAULT_HAND, hand_named
from vlseg_cli.synthetic.reasoning import no_target_question, reasoning_question
from vlseg_cli.synthetic.referring import no_target_expression, referring_expression
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.samples import SampleMix, panoptic_query
from vlseg_cli.synthetic.scene import Scene, Sentence, expression_kinds, question_kinds

_STREAM, _ABSENT_STREAM = 2, 4  # of a seed's random numbers; 1 belongs to training samples
_TRIES = 4  # per sentence wanted: a draw may repeat itself

# About as many sentences of each kind: those that the fewest scenes have are drawn first where
# possible, the others in turn.
_EXPRESSIONS = 5  # per scene
_RARE = ("size", "size", "ordinal", "position")
_QUESTIONS = 2  # of the trained and of the held-out wordings each


def plan_scenes(
    seeds: range, size: int, tasks: Collection[Task], hand: str = DEFAULT_HAND
) -> PlannedBenchmark:
    """The scenes of ``seeds`` by a hand, longest side ``size`` px, with the prompts of ``tasks``.

    Raises UsageError for an empty range, and for a hand that does not exist.
    """
    if not seeds:
        raise UsageError(
            f"The seeds {seeds.start}:{seeds.stop} hold no scene: "
            "give a first seed and a later end, as in 900000:900300."
        )
    scorer = partial(SyntheticSceneScorer, hand_named(hand))
    return _planned(Task.PANOPTIC, scorer, SyntheticScenes(seeds, size, tasks, hand))


def plan_clips(seeds: range, size: int, frames: int, hand: str = DEFAULT_HAND) -> PlannedBenchmark:
    """The clips of ``seeds`` by a hand: ``frames`` frames, longest side ``size`` px.

    Raises UsageError for an empty range or clips too short to be scored.
    """
    if not seeds or frames < 3:
        raise UsageError(
            f"There is nothing to score in {len(seeds)} clips of {frames} frames: give at least one"
            " seed, as in 900000:900010, and 3 frames (the first and the last do not count)."
        )
    mix = ClipMix(frames=frames, size=size, hand=hand)
    scorer = partial(SyntheticClipScorer, hand_named(hand))
    return _planned(Task.VIS, scorer, SyntheticClips(seeds, mix))


def _planned(
    task: Task, scorer: Callable[[], Scorer[Any]], dataset: Dataset | ClipDataset
) -> PlannedBenchmark:
    benchmark = Benchmark(
        name="world",
        title="Synthetic scenes",
        task=task,
        dataset="",
        splits=(),
        score=partial(always, scorer),
        papers={},
        thresholds={Task.DETECT: 0.0},  # average precision ranks every box
    )
    return PlannedBenchmark(benchmark, {}, Opened(dataset, scorer()))


class SyntheticScenes:
    """A ``Dataset``: one scene per seed, drawn on access."""

    def __init__(
        self, seeds: range, size: int, tasks: Collection[Task], hand: str = DEFAULT_HAND
    ) -> None:
        """size: longest side, px. tasks: queries of other tasks are left out."""
        self._seeds, self._size, self._hand = seeds, size, hand
        self._tasks = frozenset(tasks)

    def __len__(self) -> int:
        return len(self._seeds)

    def source(self, number: int) -> str:
        """'world:SEED'."""
        return f"world:{self._seeds[number]}"

    def __getitem__(self, number: int) -> Sample:
        sample = benchmark_sample(self._seeds[number], self._size, self._hand)
        queries = tuple(query for query in sample.queries if query.task in self._tasks)
        return replace(sample, queries=queries)


class SyntheticClips:
    """A ``ClipDataset``: one clip per seed, drawn on access."""

    def __init__(self, seeds: range, mix: ClipMix) -> None:
        self._seeds, self._mix = seeds, mix

    def __len__(self) -> int:
        return len(self._seeds)

    def source(self, number: int) -> str:
        """'world:SEED'."""
        return f"world:{self._seeds[number]}"

    def __getitem__(self, number: int) -> ClipSample:
        return clip_sample(self._seeds[number], self._mix)


def benchmark_sample(seed: int, size: int, hand: str = DEFAULT_HAND) -> Sample:
    """The scene of a seed, longest side ``size`` px, with all prompts of the benchmark."""
    scene = draw_scene(seed, size, hand=hand)
    rng = np.random.default_rng((scene.seed, _STREAM))
    queries = (
        *_name_queries(scene, rng),
        *_expression_queries(scene, rng),
        *_question_queries(scene, rng),
        *_region_queries(scene, rng),
        *_absent_queries(scene),
    )
    return Sample(Frame(scene.pixels, f"world:{seed}"), queries)


def _name_queries(scene: Scene, rng: Generator) -> list[Query]:
    """All category names: panoptic segments, classes, and boxes of the things."""
    panoptic = panoptic_query(scene, rng, SampleMix(all_names=True))
    things = np.array([BY_NAME[name].is_thing for name in scene.categories])[panoptic.labels]
    boxes = replace(
        panoptic, task=Task.DETECT, masks=panoptic.masks[things], labels=panoptic.labels[things]
    )
    return [panoptic, replace(panoptic, task=Task.SEMANTIC), boxes]


def _expression_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Different sentences: rare kinds first, then the frequent ones, rotated by the seed."""
    frequent = [kind for kind in expression_kinds(scene.language) if kind not in _RARE]
    turn = scene.seed % len(frequent)
    found: dict[str, Sentence] = {}
    for kind in (*_RARE, *frequent[turn:], *frequent[:turn]):
        if len(found) < _EXPRESSIONS:
            _add_different(found, partial(referring_expression, scene, rng, kind))
    referred = [_sentence_query(scene, Task.REFER, sentence) for sentence in found.values()]
    # A box, too, where exactly one thing is meant.
    return referred + [
        replace(query, task=Task.GROUND)
        for query, sentence in zip(referred, found.values(), strict=True)
        if len(sentence.targets) == 1
    ]


def _question_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Questions in trained and in held-out wordings."""
    found: dict[str, Sentence] = {}
    for kind in question_kinds(scene.language) * _QUESTIONS:
        _add_different(found, partial(reasoning_question, scene, rng, kind))
    return [_sentence_query(scene, Task.REASON, sentence) for sentence in found.values()]


def _absent_queries(scene: Scene) -> list[Query]:
    """Expressions and questions that nothing in the scene answers."""
    rng = np.random.default_rng((scene.seed, _ABSENT_STREAM))
    found: dict[str, Sentence] = {}
    for heldout in (False, True):
        _add_different(found, partial(no_target_expression, scene, rng, heldout))
    queries = [_sentence_query(scene, Task.REFER, sentence) for sentence in found.values()]
    question = no_target_question(scene, rng)
    return queries + ([_sentence_query(scene, Task.REASON, question)] if question else [])


def _region_queries(scene: Scene, rng: Generator) -> list[Query]:
    """Every thing of the scene by each kind of region prompt."""
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
    masks = scene.masks([sentence.targets] if sentence.targets else [])
    labels = np.zeros(len(masks), np.int64)
    return Query(task, prompt, masks, labels, scene.ids == 0, sentence.kind)
