"""Which query answers for which object: the cheapest one-to-one assignment (Hungarian).

Source: Mask2Former ``HungarianMatcher`` with PSALM's weights: mask 5, dice 5, class 2.
"""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F


@torch.no_grad()
def match(
    logits: Tensor,
    truth: Tensor,
    class_cost: Tensor | None = None,
    weights: tuple[float, float, float] = (5.0, 5.0, 2.0),
) -> tuple[Tensor, Tensor]:
    """Assign queries to true masks of one image.

    logits (N, P), truth (M, P) in [0, 1], class_cost (N, M): -probability of the true class, or
    None. weights: mask, dice, class. Returns query and target indices (min(N, M),) each, queries
    ascending.
    """
    cost = mask_cost(logits, truth, weights[0], weights[1])
    if class_cost is not None:
        cost = cost + weights[2] * class_cost
    return assign(cost)


def mask_cost(logits: Tensor, truth: Tensor, mask: float, dice: float) -> Tensor:
    """logits (N, P), truth (M, P) -> (N, M): weighted cross entropy and dice of every pair."""
    logits, truth = logits.float(), truth.float()
    probability = logits.sigmoid()
    # Cross entropy of logit x and truth t is softplus(x) - x t: one product for all pairs.
    entropy = F.softplus(logits).sum(1, keepdim=True) - logits @ truth.T
    overlap = probability @ truth.T
    sizes = probability.sum(1, keepdim=True) + truth.sum(1)
    return mask * entropy / logits.shape[1] + dice * (1 - (2 * overlap + 1) / (sizes + 1))


def assign(cost: Tensor) -> tuple[Tensor, Tensor]:
    """cost (N, M) -> query and target indices (min(N, M),) of the cheapest assignment, queries
    ascending."""
    queries, targets = linear_sum_assignment(cost.cpu().numpy())
    device = cost.device
    return torch.as_tensor(queries, device=device), torch.as_tensor(targets, device=device)
