"""How PSALM picks its prediction among scored masks: what the parity tests rely on."""

import numpy as np
from metrics.proposals import best_proposal, union_above


def rows(count: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[:count] = True
    return mask


def test_the_first_of_the_best_proposals_is_chosen() -> None:
    masks = [rows(1), rows(2), rows(3)]
    assert best_proposal(masks, [0.2, 0.7, 0.7]) is masks[1]


def test_proposals_above_the_threshold_are_united_or_the_best_is_taken() -> None:
    masks = [rows(1), ~rows(9), rows(3)]
    assert union_above(masks, [0.7, 0.8, 0.6], 0.6).sum() == 20
    assert union_above(masks, [0.1, 0.2, 0.6], 0.6) is masks[2]
