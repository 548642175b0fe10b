"""The learning-rate schedule: linear warm-up, then half a cosine.

Stages that extend the schedule of the one before form a chain under one cosine, so that a
curriculum may change its data without a jump in the learning rate.
"""

import math
from collections.abc import Sequence

from vlseg_cli.training.recipe import StageTable


def stage_fraction(stage: StageTable, steps: int, seconds: float) -> float:
    """The finished fraction of a stage, 0 to 1, after ``steps`` and ``seconds`` of wall time."""
    if stage.steps is not None:
        return min(1.0, steps / stage.steps)
    assert stage.minutes is not None  # a recipe gives exactly one of the two
    return min(1.0, seconds / (60 * stage.minutes))


def schedule_chain(stages: Sequence[StageTable], index: int) -> range:
    """The stages that share a cosine with stage ``index``, itself included."""
    first, last = index, index + 1
    while stages[first].extend_schedule:
        first -= 1
    while last < len(stages) and stages[last].extend_schedule:
        last += 1
    return range(first, last)


def learning_rate(
    stages: Sequence[StageTable],
    index: int,
    steps: Sequence[int],
    seconds: Sequence[float],
    final: float,
) -> float:
    """The learning rate of the next step of stage ``index``.

    steps, seconds: done in each stage. final: fraction of the peak at the end of a cosine.
    """
    chain = schedule_chain(stages, index)
    budgets = [stages[number].steps or stages[number].minutes or 0 for number in chain]
    done = sum(
        budget * stage_fraction(stages[number], steps[number], seconds[number])
        for number, budget in zip(chain, budgets, strict=True)
    )
    cosine = 0.5 * (1 + math.cos(math.pi * done / sum(budgets)))
    warmup = stages[chain.start].warmup
    steps_of_chain = sum(steps[number] for number in chain)
    ramp = min(1.0, (steps_of_chain + 1) / warmup) if warmup else 1.0
    return stages[index].lr * ramp * (final + (1 - final) * cosine)
