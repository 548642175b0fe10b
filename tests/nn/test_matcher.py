"""The assignment is the cheapest of all, by trying all."""

import itertools
import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.matcher import match


def pair_cost(logits: Tensor, truth: Tensor) -> float:
    """5 times mean cross entropy plus 5 times dice of one query and one object."""
    bce = overlap = sizes = 0.0
    for logit, true in zip(logits.tolist(), truth.tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        bce -= true * math.log(p) + (1 - true) * math.log(1 - p)
        overlap += p * true
        sizes += p + true
    return 5 * bce / len(logits) + 5 * (1 - (2 * overlap + 1) / (sizes + 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 5), st.booleans())
def test_no_other_assignment_is_cheaper(
    seed: int, queries: int, objects: int, classes: bool
) -> None:
    draw = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(queries, 7, generator=draw)
    truth = (torch.rand(objects, 7, generator=draw) > 0.5).float()
    class_cost = -torch.rand(queries, objects, generator=draw) if classes else None
    cost = [
        [
            pair_cost(logits[q], truth[m]) + (2 * float(class_cost[q, m]) if classes else 0.0)
            for m in range(objects)
        ]
        for q in range(queries)
    ]
    rows, columns = match(logits, truth, class_cost)
    count = min(queries, objects)
    assert rows.tolist() == sorted(set(rows.tolist())) and len(rows) == count
    assert len(set(columns.tolist())) == count
    ours = sum(cost[q][m] for q, m in zip(rows.tolist(), columns.tolist(), strict=True))
    cheapest = min(
        sum(cost[q][m] for q, m in zip(some, order, strict=True))
        for some in itertools.combinations(range(queries), count)
        for order in itertools.permutations(range(objects), count)
    )
    assert ours <= cheapest + 1e-4


def test_weights_decide_between_looks_and_names() -> None:
    truth = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    logits = torch.tensor([[4.0, 4.0, -4.0, -4.0], [-4.0, -4.0, 4.0, 4.0]])
    names = torch.tensor([[0.0], [-1.0]])
    assert match(logits, truth, names)[0].tolist() == [0]
    assert match(logits, truth, names, weights=(0.0, 0.0, 2.0))[0].tolist() == [1]


def test_no_gradient_flows_and_half_precision_is_taken() -> None:
    logits = torch.randn(3, 6).half().requires_grad_()
    rows, _ = match(logits, torch.ones(2, 6))
    assert not rows.is_floating_point() and len(rows) == 2
