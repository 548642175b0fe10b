"""The matcher against all assignments, box costs, and the rules for stuff."""

import itertools
import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.hungarian_matcher import (
    box_cost,
    hungarian_assignment,
    match_masks,
    mean_stuff_cost,
    separate_stuff_cost,
)


def test_each_box_is_matched_with_itself() -> None:
    truth = torch.tensor([[0.2, 0.2, 0.1, 0.1], [0.7, 0.6, 0.3, 0.2], [0.5, 0.5, 0.9, 0.9]])
    order = torch.tensor([2, 0, 1])
    queries, targets = hungarian_assignment(box_cost(truth[order] + 0.01, truth))
    assert targets.tolist() == order[queries].tolist()


def test_the_cost_of_a_box_by_hand() -> None:
    predicted, truth = torch.tensor([[0.5, 0.5, 0.2, 0.2]]), torch.tensor([[0.6, 0.5, 0.2, 0.2]])
    overlap = 0.02 / 0.06  # and nothing around them is empty
    expected = 5 * 0.1 - 2 * overlap
    assert abs(box_cost(predicted, truth).item() - expected) < 1e-3


def test_stuff_gets_the_mean_box_cost_of_things() -> None:
    cost = torch.tensor([[1.0, 9.0, 3.0], [5.0, 9.0, 7.0]])
    is_thing = torch.tensor([True, False, True])
    even = mean_stuff_cost(cost, is_thing)
    assert even[:, 1].tolist() == [4.0, 4.0]
    assert torch.equal(even[:, is_thing], cost[:, is_thing])
    assert not mean_stuff_cost(cost, torch.zeros(3, dtype=torch.bool)).any()


def test_stuff_and_things_have_separate_queries() -> None:
    is_thing = torch.tensor([False, True])
    cost = torch.tensor([[0.0, 9.0], [0.0, 8.0], [9.0, 0.0], [8.0, 0.0]])
    queries, targets = hungarian_assignment(separate_stuff_cost(cost, is_thing, selected=2))
    assert list(zip(queries.tolist(), targets.tolist(), strict=True)) == [(1, 1), (3, 0)]


def test_a_query_without_a_finite_cost_is_matched_so_that_its_loss_is_seen() -> None:
    cost = torch.tensor([[1.0, 2.0], [math.nan, 3.0], [2.0, math.inf]])
    queries, targets = hungarian_assignment(cost)
    assert list(zip(queries.tolist(), targets.tolist(), strict=True)) == [(1, 0), (2, 1)]


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
    rows, columns = match_masks(logits, truth, class_cost)
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


def test_weights_decide_between_masks_and_classes() -> None:
    truth = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    logits = torch.tensor([[4.0, 4.0, -4.0, -4.0], [-4.0, -4.0, 4.0, 4.0]])
    names = torch.tensor([[0.0], [-1.0]])
    assert match_masks(logits, truth, names)[0].tolist() == [0]
    assert match_masks(logits, truth, names, weights=(0.0, 0.0, 2.0))[0].tolist() == [1]


def test_no_gradient_flows_and_half_precision_is_taken() -> None:
    logits = torch.randn(3, 6).half().requires_grad_()
    rows, _ = match_masks(logits, torch.ones(2, 6))
    assert not rows.is_floating_point() and len(rows) == 2
