"""The prompts of held-out scenes and clips: the same for every run, all kinds among them."""

from collections import Counter
from typing import Any

import pytest

from vlseg_cli.evaluation.benchmarks.synthetic import benchmark_sample, plan_clips, plan_scenes
from vlseg_cli.schema import Prompt, Regions, Task, UsageError
from vlseg_cli.synthetic.scene import KINDS, QUESTION_KINDS, WIDE_KINDS

SIZE = 128


def key(task: Task, prompt: Prompt) -> Any:
    if isinstance(prompt, Regions):
        return task, tuple((one.kind, one.mask.tobytes()) for one in prompt.regions)
    return task, prompt


def test_no_seeds_is_a_plain_error() -> None:
    with pytest.raises(UsageError, match="5:5 hold no scene"):
        plan_scenes(range(5, 5), SIZE, frozenset(Task))


@pytest.mark.parametrize(("seeds", "frames"), [(range(5, 5), 5), (range(3), 2)])
def test_clips_that_cannot_be_scored_are_refused(seeds: range, frames: int) -> None:
    with pytest.raises(UsageError, match="nothing to score"):
        plan_clips(seeds, SIZE, frames)


def test_samples_are_drawn_by_their_seed() -> None:
    dataset = plan_scenes(range(7, 10), SIZE, [Task.REFER]).opened.dataset
    assert len(dataset) == 3 and dataset.source(1) == dataset[1].frame.source == "world:8"
    assert {query.task for query in dataset[1].queries} == {Task.REFER}
    clips = plan_clips(range(7, 10), SIZE, 3).opened.dataset
    assert clips.source(2) == clips[2].source == "world:9" and clips[2].length == 3


def test_every_kind_of_expression_occurs() -> None:
    queries = [q for seed in range(900_000, 900_040) for q in benchmark_sample(seed, SIZE).queries]
    kinds = Counter(query.kind for query in queries if query.task is Task.REFER)
    assert kinds.pop("none") == 2 * 40
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 0.08 * kinds.total()


def test_scenes_of_other_hands_are_spoken_of_in_the_wide_language() -> None:
    seeds = range(900_000, 900_040)
    queries = [q for seed in seeds for q in benchmark_sample(seed, SIZE, "new").queries]
    expressions, questions = (
        Counter(query.kind for query in queries if query.task is task)
        for task in (Task.REFER, Task.REASON)
    )
    assert set(expressions) == {*WIDE_KINDS, "none"}
    assert set(questions) == {*QUESTION_KINDS, "none"}
    assert all(not len(query.masks) for query in queries if query.kind == "none")


def test_a_scene_has_the_same_prompts_every_time() -> None:
    first, again = benchmark_sample(900_003, SIZE), benchmark_sample(900_003, SIZE)
    for one, other in zip(first.queries, again.queries, strict=True):
        assert key(one.task, one.prompt) == key(other.task, other.prompt)
        assert (one.masks == other.masks).all()
