"""Every selection rule computed by hand, and the fallbacks when it selects nothing."""

from typing import get_args

import pytest
import torch

from vlseg_cli.models.hrseg.postprocessing import Rule, Selection, select

SIMILARITY = torch.tensor([0.1, 0.9, 0.5, 0.9, -0.2])
IOP = torch.tensor([0.8, 0.4, 0.71, 0.6, 0.95])
CHOSEN: dict[Rule, list[int]] = {
    "top1_similarity": [1],  # the first of equals
    "top1_iop": [4],
    "iop": [0, 2, 4],
    "topk_similarity": [1, 2, 3],
    "topk_and_iop": [2],
    "top1_or_iop": [0, 1, 2, 4],
}


@pytest.mark.parametrize("rule", get_args(Rule))
def test_each_rule_selects_the_expected_proposals(rule: Rule) -> None:
    chosen = select(SIMILARITY, IOP, Selection(rule, 3, 0.7, "nothing"))
    assert chosen.nonzero()[:, 0].tolist() == CHOSEN[rule]


def test_the_threshold_must_be_exceeded() -> None:
    exactly = select(SIMILARITY, IOP, Selection("iop", 3, float(IOP[0]), "nothing"))
    assert exactly.nonzero()[:, 0].tolist() == [4]


def test_the_fallback_is_nothing_or_the_most_similar() -> None:
    assert not select(SIMILARITY, IOP, Selection("iop", 3, 1.0, "nothing")).any()
    best = select(SIMILARITY, IOP, Selection("iop", 3, 1.0, "top1_similarity"))
    assert best.nonzero()[:, 0].tolist() == [1]


def test_fewer_proposals_than_k_are_all_selected() -> None:
    assert select(SIMILARITY[:2], IOP[:2], Selection("topk_similarity", 10, 0, "nothing")).all()
