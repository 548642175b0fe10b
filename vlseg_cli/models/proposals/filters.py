"""Segment everything: which of SAM's guesses at a grid of points are worth keeping.

Source: facebookresearch/segment-anything ``automatic_mask_generator.py`` with its default settings,
one crop, no clean-up. The suppression of doubles is ours, so that torchvision is not needed.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

POINTS_PER_SIDE = 32
POINTS_AT_ONCE = 64
PREDICTED_IOU = 0.88  # to be exceeded
STABILITY = 0.95  # to be reached
_MARGIN = 1.0  # of a logit: how much a stable mask may be raised or lowered
_OVERLAP = 0.7  # of boxes: more of it, and the worse guess goes


class MaskCandidates(NamedTuple):
    """M guesses: masks (M, H, W) bool; boxes (M, 4) x0, y0, x1, y1, the last inclusive; iou and
    stability (M,); points (M, 2), where SAM was asked, all in px of the picture."""

    masks: Tensor
    boxes: Tensor
    iou: Tensor
    stability: Tensor
    points: Tensor


def point_grid(per_side: int) -> Tensor:
    """(per_side², 2) float64: x and y in [0, 1], x fastest."""
    steps = (torch.arange(per_side, dtype=torch.float64) + 0.5) / per_side
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], 1)


def filter_iou(iou: Tensor) -> Tensor:
    """(M,) bool: guesses that SAM itself thinks good."""
    return iou > PREDICTED_IOU


def enlarge_logits(
    logits: Tensor, padded: int, content: tuple[int, int], size: tuple[int, int]
) -> Tensor:
    """(M, h, w) at SAM's own resolution -> (M, H, W) at the picture's.

    padded: side of SAM's input. content: height and width of the picture in it.
    """
    one = logits.unsqueeze(1)  # a batch of masks may be empty, a mask of channels may not
    whole = F.interpolate(one, (padded, padded), mode="bilinear", align_corners=False)
    inside = whole[..., : content[0], : content[1]]
    return F.interpolate(inside, size, mode="bilinear", align_corners=False).squeeze(1)


def filter_stability(logits: Tensor, iou: Tensor, points: Tensor) -> MaskCandidates:
    """(M, H, W) logits of promising guesses -> the stable ones."""
    raised = (logits > _MARGIN).sum((-1, -2), dtype=torch.int32)
    lowered = (logits > -_MARGIN).sum((-1, -2), dtype=torch.int32)
    stability = raised / lowered
    kept = stability >= STABILITY
    masks = logits[kept] > 0
    return MaskCandidates(masks, tight_boxes(masks), iou[kept], stability[kept], points[kept])


def tight_boxes(masks: Tensor) -> Tensor:
    """(M, H, W) bool -> (M, 4) float: first and last column and row, zeros for an empty mask."""
    columns, rows = masks.any(1), masks.any(2)
    sides = [(columns, False), (rows, False), (columns, True), (rows, True)]
    boxes = torch.stack([_end(line, last) for line, last in sides], 1)
    return boxes * masks.flatten(1).any(1, keepdim=True)


def _end(line: Tensor, last: bool) -> Tensor:
    """(M, L) bool -> (M,): index of the first or last True."""
    if last:
        return line.shape[1] - 1 - line.flip(1).int().argmax(1)
    return line.int().argmax(1)


def nms(boxes: Tensor, scores: Tensor) -> Tensor:
    """(M, 4), (M,) -> indices of the boxes that no better one overlaps too much, best first."""
    boxes = boxes.float()
    order = scores.argsort(descending=True, stable=True)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        corner = torch.maximum(boxes[best, :2], boxes[order, :2])
        size = (torch.minimum(boxes[best, 2:], boxes[order, 2:]) - corner).clamp(min=0)
        overlap = size.prod(1)
        shared = overlap / (area[best] + area[order] - overlap)
        order = order[~(shared > _OVERLAP)]  # two boxes without area share nothing: NaN stays
    return torch.tensor(kept, dtype=torch.long, device=boxes.device)


def take(guesses: MaskCandidates, indices: Tensor) -> MaskCandidates:
    """Some of the guesses, in this order."""
    return MaskCandidates(*(entry[indices] for entry in guesses))


def to_input(points: Tensor, size: tuple[int, int], content: tuple[int, int]) -> Tensor:
    """(M, 2) x and y in px of a picture of ``size`` (H, W) -> in px of its place in SAM's input."""
    scale = torch.tensor([content[1] / size[1], content[0] / size[0]], dtype=points.dtype)
    return points * scale.to(points.device)
