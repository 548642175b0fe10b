"""Re-identification: box and embedding heads, SimOTA assignment and the contrastive loss.

Source: HyperSeg section 8 (``predictor.box_embed``, ``predictor.reid_embed_head``), after IDOL.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.nn.boxes import box_iou, cxcywh_to_xyxy
from vlseg_cli.nn.mask_decoder import MLP


class InstanceEmbeddings(NamedTuple):
    """boxes (P, N, 4): cx, cy, w, h as fractions of the network's input. embeddings (P, N, D)."""

    boxes: Tensor
    embeddings: Tensor


class InstanceHeads(nn.Module):
    """Two three-layer MLPs over the mask decoder's queries."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.boxes = MLP(channels, 3, 4)
        self.embedding = MLP(channels, 3)

    def forward(self, hidden: Tensor, content: Tensor) -> InstanceEmbeddings:
        """hidden (P, N, D) after the decoder's norm -> boxes, content (P, N, D) before it ->
        embeddings."""
        return InstanceEmbeddings(self.boxes(hidden).sigmoid(), self.embedding(content))


_RADIUS = 2.5 / 32  # of the center region, as a fraction of the image
_NEGATIVES = 10  # per positive, in the auxiliary loss


class ContrastLosses(NamedTuple):
    """contrast (M,): log(1 + sum over positives and negatives of exp(neg - pos)) per object.
    reid_aux (): mean squared error of cosine similarities."""

    contrast: Tensor
    reid_aux: Tensor


@torch.no_grad()
def simota_assign(
    boxes: Tensor, class_logits: Tensor, true_boxes: Tensor, labels: Tensor, top: int
) -> Tensor:
    """SimOTA: the queries assigned to each object, (M, N) bool.

    boxes (N, 4) and true_boxes (M, 4): cx, cy, w, h as fractions. class_logits (N, K), labels (M,).
    An object gets as many queries as its ``top`` best IoUs sum to, at least one; a query wanted by
    several goes to the object of least cost.
    """
    iou, giou = box_iou(boxes, true_boxes)
    inside, central = _within(boxes, cxcywh_to_xyxy(true_boxes)), _near(boxes, true_boxes)
    cost = _class_cost(class_logits, labels) - 3 * giou + 100 * ~(inside & central)
    cost = cost + 10000 * ~(inside | central).any(1, keepdim=True)
    counts = iou.topk(min(top, len(iou)), 0).values.sum(0).int().clamp(min=1)
    assigned = torch.zeros_like(cost, dtype=torch.bool)
    for target, count in enumerate(counts.tolist()):
        assigned[cost[:, target].topk(count, largest=False).indices, target] = True
    shared = assigned.sum(1) > 1
    assigned[shared] = F.one_hot(cost[shared].argmin(1), len(true_boxes)).bool()
    left = (~assigned.any(0)).nonzero()[:, 0]  # objects without a query get the best free one
    free = cost[:, left] + 1e5 * assigned.any(1, keepdim=True)
    assigned[free.argmin(0), left] = True
    return assigned.T


def _class_cost(logits: Tensor, labels: Tensor) -> Tensor:
    """Focal cost of each object's class: (N, K), (M,) -> (1, M).

    The authors' code averages it over the queries, so that it only orders objects that share one.
    """
    probability = logits.softmax(-1)[:, labels]
    right = 0.25 * (1 - probability) ** 2 * -(probability + 1e-8).log()
    wrong = 0.75 * probability**2 * -(1 - probability + 1e-8).log()
    return (right - wrong).mean(0, keepdim=True)


def _within(boxes: Tensor, areas: Tensor) -> Tensor:
    """Whether the centers of boxes (N, 4) lie in areas (M, 4) given by corners: (N, M) bool."""
    center = boxes[:, None, :2]
    return ((center > areas[None, :, :2]) & (center < areas[None, :, 2:])).all(-1)


def _near(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    center = true_boxes[:, :2]
    return _within(boxes, torch.cat([center - _RADIUS, center + _RADIUS], 1))


def instance_contrast(
    key: Tensor, embeddings: Tensor, positive: Tensor, candidates: Tensor
) -> ContrastLosses:
    """key (M, D): objects of one frame; embeddings (N, D): queries of another; positive and
    candidates (M, N) bool: ``simota_assign`` with 10 and with 30."""
    similarity = key @ embeddings.T
    lowest = torch.finfo(similarity.dtype).min
    pull = torch.logsumexp((-similarity).masked_fill(~positive, lowest), 1)
    push = torch.logsumexp(similarity.masked_fill(candidates, lowest), 1)
    cosine = F.normalize(key, dim=1) @ F.normalize(embeddings, dim=1).T
    sampled = positive | _random_subset(~candidates, _NEGATIVES * positive.sum(1))
    reid_aux = F.mse_loss(cosine[sampled], positive[sampled].to(cosine.dtype))
    return ContrastLosses(F.softplus(pull + push), reid_aux)


def _random_subset(choice: Tensor, counts: Tensor) -> Tensor:
    """A random subset of each row of ``choice`` (M, N), at most ``counts`` (M,) elements."""
    order = torch.rand(choice.shape, device=choice.device).masked_fill(~choice, -1)
    rank = order.argsort(1, descending=True).argsort(1)
    return choice & (rank < counts.unsqueeze(1))
