"""Expressions about videos: every frame, every expression, missing ones too."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.mevis import ExpressionJF
from vlseg_cli.schema import InputError


def test_missing_expressions_weigh_like_any_other() -> None:
    mask = np.zeros((2, 8, 8), bool)
    mask[:, 2:5, 2:5] = True
    meter = ExpressionJF()
    assert meter.add(mask, mask) == (1, 1)
    meter.add_missing()
    result = meter.result()
    assert (result.j, result.f, result.jf, result.n) == (0.5, 0.5, 0.5, 2)


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="same frames"):
        ExpressionJF().add(np.zeros((2, 4, 4), bool), np.zeros((3, 4, 4), bool))
