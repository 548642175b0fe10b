"""The Hungarian matcher: the cheapest one-to-one assignment of queries to true objects.

Source: Mask2Former ``HungarianMatcher`` with PSALM's weights (mask 5, dice 5, class 2); box costs
and the rules for stuff are MaskDINO's, as MVP-LM uses them.
"""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.nn.boxes import cxcywh_to_xyxy, generalized_iou


@torch.no_grad()
def match_masks(
    logits: Tensor,
    truth: Tensor,
    class_cost: Tensor | None = None,
    weights: tuple[float, float, float] = (5.0, 5.0, 2.0),
) -> tuple[Tensor, Tensor]:
    """Assign queries to the true masks of one image.

    logits (N, S) and truth (M, S) in [0, 1] at the same S points; class_cost (N, M): negative
    probability of the true class, or None. weights: mask, dice, class. Returns query and target
    indices (min(N, M),), queries ascending.
    """
    cost = mask_cost(logits, truth, weights[0], weights[1])
    if class_cost is not None:
        cost = cost + weights[2] * class_cost
    return hungarian_assignment(cost)


def mask_cost(logits: Tensor, truth: Tensor, mask: float, dice: float) -> Tensor:
    """logits (N, S), truth (M, S) -> (N, M): weighted cross entropy and dice of every pair."""
    logits, truth = logits.float(), truth.float()
    probability = logits.sigmoid()
    # Cross entropy of logit x and truth t is softplus(x) - x t: one product for all pairs.
    entropy = F.softplus(logits).sum(1, keepdim=True) - logits @ truth.T
    overlap = probability @ truth.T
    sizes = probability.sum(1, keepdim=True) + truth.sum(1)
    return mask * entropy / logits.shape[1] + dice * (1 - (2 * overlap + 1) / (sizes + 1))


_BROKEN = -1e9  # cost of a pair that has none


def hungarian_assignment(cost: Tensor) -> tuple[Tensor, Tensor]:
    """cost (N, M) -> query and target indices (min(N, M),) of the cheapest assignment, by query.

    A query whose cost is not finite is matched first: its loss is not finite either, so that the
    training step is skipped like any other whose loss is not.
    """
    finite = cost.float().nan_to_num(nan=_BROKEN, posinf=_BROKEN, neginf=_BROKEN)
    queries, targets = linear_sum_assignment(finite.cpu().numpy())
    device = cost.device
    return torch.as_tensor(queries, device=device), torch.as_tensor(targets, device=device)


_FORBIDDEN = 1e4  # cost of a pair that may not be matched


@torch.no_grad()
def box_cost(predicted: Tensor, truth: Tensor, l1: float = 5.0, giou: float = 2.0) -> Tensor:
    """predicted (N, 4), truth (M, 4) as cx, cy, w, h -> (N, M): weighted L1 distance and -GIoU."""
    distance = torch.cdist(predicted.float(), truth.float(), p=1)
    overlap = generalized_iou(
        cxcywh_to_xyxy(predicted.float()).unsqueeze(1), cxcywh_to_xyxy(truth.float()).unsqueeze(0)
    )
    return l1 * distance - giou * overlap


@torch.no_grad()
def mean_stuff_cost(cost: Tensor, is_thing: Tensor) -> Tensor:
    """Box costs (N, M) with those of stuff, which has no boxes, set to the mean over things."""
    average = cost[:, is_thing].mean() if is_thing.any() else cost.new_zeros(())
    return torch.where(is_thing, cost, average)


@torch.no_grad()
def separate_stuff_cost(cost: Tensor, is_thing: Tensor, selected: int) -> Tensor:
    """Costs (N, M) that keep the first ``selected`` queries for things, the others for stuff."""
    for_things = torch.arange(len(cost), device=cost.device) < selected
    return cost.masked_fill(for_things.unsqueeze(1) != is_thing, _FORBIDDEN)
