"""Warm-up and cosine: shape, ends, time budgets, and stages under one curve."""

from dataclasses import replace

import pytest

from vlseg_cli.training.recipe import StageTable
from vlseg_cli.training.schedule import learning_rate, schedule_chain, stage_fraction

STAGE = StageTable("a", lr=0.1, batch_size=1, steps=100, warmup=10)


def rates(
    stages: list[StageTable], index: int, before: list[int], final: float = 0.0
) -> list[float]:
    """The learning rate of every step of stage ``index``; ``before`` steps in the stages before."""
    count = stages[index].steps or 0
    after = [0] * (len(stages) - index - 1)
    zeros = [0.0] * len(stages)
    return [
        learning_rate(stages, index, [*before, step, *after], zeros, final) for step in range(count)
    ]


def test_warm_up_then_cosine_to_the_floor() -> None:
    curve = rates([STAGE], 0, [], final=0.1)
    assert curve[0] == pytest.approx(0.01, rel=0.01)
    assert curve[:10] == sorted(curve[:10])
    assert curve[9:] == sorted(curve[9:], reverse=True)
    assert curve[50] == pytest.approx(0.1 * (0.1 + 0.9 * 0.5))
    assert curve[-1] == pytest.approx(0.01, rel=0.05)


def test_an_extended_schedule_is_one_curve() -> None:
    halves = [replace(STAGE, steps=40), replace(STAGE, steps=60, extend_schedule=True)]
    assert rates(halves, 0, []) + rates(halves, 1, [40]) == pytest.approx(rates([STAGE], 0, []))
    apart = [replace(STAGE, steps=40), replace(STAGE, steps=60)]
    assert rates(apart, 1, [40])[0] == pytest.approx(0.01)


def test_chains() -> None:
    one, more = STAGE, replace(STAGE, extend_schedule=True)
    stages = [one, one, more, more, one]
    assert [schedule_chain(stages, n) for n in range(5)] == [
        range(0, 1),
        *[range(1, 4)] * 3,
        range(4, 5),
    ]


def test_time_budgets_follow_the_clock() -> None:
    timed = StageTable("t", lr=1.0, batch_size=1, minutes=2)
    assert stage_fraction(timed, 10**6, 30) == 0.25
    assert stage_fraction(timed, 0, 500) == 1
    assert learning_rate([timed], 0, [7], [60.0], 0.0) == pytest.approx(0.5)
