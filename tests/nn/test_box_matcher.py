"""Boxes in the matching: near ones are cheap, stuff has none, and keeps to its own queries."""

import torch

from vlseg_cli.nn.box_matcher import apart_for_stuff, box_cost, even_for_stuff
from vlseg_cli.nn.matcher import assign


def test_each_box_finds_itself() -> None:
    truth = torch.tensor([[0.2, 0.2, 0.1, 0.1], [0.7, 0.6, 0.3, 0.2], [0.5, 0.5, 0.9, 0.9]])
    order = torch.tensor([2, 0, 1])
    queries, targets = assign(box_cost(truth[order] + 0.01, truth))
    assert targets.tolist() == order[queries].tolist()


def test_the_cost_of_a_box_by_hand() -> None:
    predicted, truth = torch.tensor([[0.5, 0.5, 0.2, 0.2]]), torch.tensor([[0.6, 0.5, 0.2, 0.2]])
    overlap = 0.02 / 0.06  # and nothing around them is empty
    expected = 5 * 0.1 - 2 * overlap
    assert abs(box_cost(predicted, truth).item() - expected) < 1e-3


def test_stuff_costs_what_things_cost_on_average() -> None:
    cost = torch.tensor([[1.0, 9.0, 3.0], [5.0, 9.0, 7.0]])
    is_thing = torch.tensor([True, False, True])
    even = even_for_stuff(cost, is_thing)
    assert even[:, 1].tolist() == [4.0, 4.0]
    assert torch.equal(even[:, is_thing], cost[:, is_thing])
    assert not even_for_stuff(cost, torch.zeros(3, dtype=torch.bool)).any()


def test_stuff_and_things_keep_apart() -> None:
    is_thing = torch.tensor([False, True])
    cost = torch.tensor([[0.0, 9.0], [0.0, 8.0], [9.0, 0.0], [8.0, 0.0]])
    queries, targets = assign(apart_for_stuff(cost, is_thing, selected=2))
    assert list(zip(queries.tolist(), targets.tolist(), strict=True)) == [(1, 1), (3, 0)]
