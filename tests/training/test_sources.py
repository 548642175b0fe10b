"""The stream of batches: the same samples in the same order, however many processes share it."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.synthetic.samples import SampleMix
from vlseg_cli.training.recipe import HELD_OUT, load_recipe
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.sources import (
    ProcessIndex,
    SceneDataset,
    ShardedOrder,
    TextDataset,
    batches_of,
    samples_before,
    scene_seed,
)


@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 50), st.integers(1, 4)
)
def test_processes_share_each_step_without_gap_or_overlap(
    processes: int, accumulate: int, each: int, start: int, steps: int
) -> None:
    batch_size = processes * accumulate * each
    shares = [
        list(
            islice(
                ShardedOrder(start, batch_size, accumulate, ProcessIndex(rank, processes)),
                steps * accumulate,
            )
        )
        for rank in range(processes)
    ]
    for step in range(steps):
        first = start + step * batch_size
        passes = slice(step * accumulate, (step + 1) * accumulate)
        used = sorted(n for share in shares for numbers in share[passes] for n in numbers)
        assert used == list(range(first, first + batch_size))


@given(st.integers(0, HELD_OUT - 1), st.integers(0, 10**7))
def test_training_never_uses_the_scenes_held_out_for_tests(first: int, sample: int) -> None:
    assert 0 <= scene_seed(first, sample) < HELD_OUT
    assert scene_seed(first, 0) == first
    assert scene_seed(first, sample) != scene_seed(first, sample + 1)


def test_scenes_follow_their_number() -> None:
    scenes = SceneDataset("first", first_seed=5, size=64, mix=SampleMix(sentences=1))
    assert scenes[3].frame.source == "world:8"
    np.testing.assert_array_equal(scenes[3].frame.pixels, scenes[3].frame.pixels)
    assert scenes[2].frame.source != scenes[3].frame.source
    texts = [TextDataset("first", 0)[number].text for number in range(8)]
    assert texts == [TextDataset("first", 0)[number].text for number in range(8)]
    assert len(set(texts)) > 1


def test_workers_change_nothing_and_a_stream_starts_anywhere(
    make_run: Callable[..., TrainingRun],
) -> None:
    run = make_run("out", "stage.1.batch_size=4")
    stage, size = run.recipe.stage[1], run.recipe.stage[1].batch_size

    def pixels(workers: int, start: int, count: int) -> torch.Tensor:
        recipe = make_run("out", f"data.workers={workers}").recipe
        batches = batches_of(recipe, stage, run.model, start, ProcessIndex())
        return torch.cat([batch.pixel_values for batch in islice(batches, count)])  # type: ignore[attr-defined]

    alone = pixels(0, 0, 4)
    assert torch.equal(pixels(2, 0, 4), alone)
    assert torch.equal(pixels(0, 2 * size, 2), alone[2 * size :])


def test_each_kind_of_data_counts_its_own_samples(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert samples_before(recipe, 0, [3, 5]) == 3 * 4
    assert samples_before(recipe, 1, [3, 5]) == 5 * 2
