"""Matching by words, masks and boxes together; surroundings match only the queries meant for them.

Source: MVP-LM section 9 (MaskDINO's matcher with OpenSeeD's thing and stuff queries).
"""

import torch
from torch import Tensor

from vlseg_cli.nn.boxes import corners, generalised_iou

_NEVER = 1e4  # cost of a pair that must not be


@torch.no_grad()
def box_cost(predicted: Tensor, truth: Tensor, l1: float = 5.0, giou: float = 2.0) -> Tensor:
    """predicted (N, 4), truth (M, 4) as cx, cy, w, h -> (N, M): distance and -GIoU, weighted."""
    distance = torch.cdist(predicted.float(), truth.float(), p=1)
    overlap = generalised_iou(
        corners(predicted.float()).unsqueeze(1), corners(truth.float()).unsqueeze(0)
    )
    return l1 * distance - giou * overlap


@torch.no_grad()
def even_for_stuff(cost: Tensor, is_thing: Tensor) -> Tensor:
    """Boxes say nothing about stuff: its box cost (N, M) becomes what things cost on average."""
    average = cost[:, is_thing].mean() if is_thing.any() else cost.new_zeros(())
    return torch.where(is_thing, cost, average)


@torch.no_grad()
def apart_for_stuff(cost: Tensor, is_thing: Tensor, selected: int) -> Tensor:
    """Of (N, M), the first ``selected`` queries are for things, those after them for stuff."""
    for_things = torch.arange(len(cost), device=cost.device) < selected
    return cost.masked_fill(for_things.unsqueeze(1) != is_thing, _NEVER)
