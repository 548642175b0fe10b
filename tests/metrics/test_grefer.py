"""Generalized referring: the four outcomes of the no-target flag, counted by hand."""

import numpy as np
import pytest

from vlseg_cli.evaluation.metrics.refer import GeneralizedMaskIoU
from vlseg_cli.schema import InputError


def rows(count: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[:count] = True
    return mask


def test_every_outcome_of_the_flag() -> None:
    meter = GeneralizedMaskIoU()
    assert meter.add(rows(3), rows(0), predicted_no_target=True, truly_no_target=True) == 1
    assert meter.add(rows(2), rows(0), predicted_no_target=False, truly_no_target=True) == 0
    assert meter.add(rows(4), rows(5), predicted_no_target=True, truly_no_target=False) == 0
    assert meter.add(rows(8), rows(10), predicted_no_target=False, truly_no_target=False) == 0.8
    result = meter.result()
    assert (result.n_accuracy, result.t_accuracy) == (0.5, 0.5)
    assert result.giou == pytest.approx(1.8 / 4)
    # A correct flag adds nothing; a wrong one adds its union to both kinds of sentences.
    assert result.ciou == 80 / (20 + 50 + 100)
    assert result.precision == {0.7: 0.5, 0.8: 0.5, 0.9: 0}


def test_empty_masks_of_a_target_score_zero() -> None:
    meter = GeneralizedMaskIoU()
    assert meter.add(rows(0), rows(0), predicted_no_target=False, truly_no_target=False) == 0


def test_no_prediction_has_no_score() -> None:
    result = GeneralizedMaskIoU(thresholds=[0.5]).result()
    scores = result.ciou, result.giou, result.n_accuracy, result.t_accuracy
    assert (*scores, result.precision) == (None, None, None, None, {0.5: None})


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="resize the prediction"):
        GeneralizedMaskIoU().add(np.zeros((2, 3), bool), np.zeros((3, 2), bool), False, False)
