"""Sums that do not depend on order, where plain floats do."""

import math

from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.evaluation.metrics.exact import ExactSum

FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=20)


@given(FLOATS)
def test_the_sum_is_correctly_rounded(values: list[float]) -> None:
    total = ExactSum()
    for value in values:
        total.add(value)
    assert total.total == math.fsum(values)
    assert total.count == len(values)


def test_small_values_are_kept_beside_large_ones() -> None:
    left, right = ExactSum(), ExactSum()
    left.add(1e300)
    left.add(1.0)
    right.add(-1e300)
    left.merge(right)
    assert (left.total, left.mean) == (1.0, 1 / 3)


def test_nothing_has_no_mean() -> None:
    assert (ExactSum().total, ExactSum().mean) == (0.0, None)
