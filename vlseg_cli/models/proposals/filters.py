"""Filters of SAM's mask candidates from a grid of points ("segment everything").

Source: facebookresearch/segment-anything ``automatic_mask_generator.py`` with its default settings,
one crop, no postprocessing of small regions. ``nms`` is our own to avoid requiring torchvision.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

POINTS_PER_SIDE = 32
POINT_BATCH_SIZE = 64
IOU_THRESHOLD = 0.88  # exclusive
STABILITY_THRESHOLD = 0.95  # inclusive
_STABILITY_OFFSET = 1.0  # of logits
_NMS_THRESHOLD = 0.7  # box IoU


class MaskCandidates(NamedTuple):
    """M candidates: masks (M, H, W) bool; boxes (M, 4) x0, y0, x1, y1, inclusive; predicted iou and
    stability (M,); prompt points (M, 2). Coordinates in px of the image."""

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
    """(M,) bool: candidates whose predicted IoU exceeds the threshold."""
    return iou > IOU_THRESHOLD


def enlarge_logits(
    logits: Tensor, padded: int, content: tuple[int, int], size: tuple[int, int]
) -> Tensor:
    """(M, h, w) at SAM's output resolution -> (M, H, W) at the image's.

    padded: side of SAM's input. content: height and width of the image in it.
    """
    batch = logits.unsqueeze(1)  # interpolate allows an empty batch, but not empty channels
    square = F.interpolate(batch, (padded, padded), mode="bilinear", align_corners=False)
    cropped = square[..., : content[0], : content[1]]
    return F.interpolate(cropped, size, mode="bilinear", align_corners=False).squeeze(1)


def filter_stability(logits: Tensor, iou: Tensor, points: Tensor) -> MaskCandidates:
    """(M, H, W) logits -> candidates whose mask is stable under a change of the threshold."""
    inner = (logits > _STABILITY_OFFSET).sum((-1, -2), dtype=torch.int32)
    outer = (logits > -_STABILITY_OFFSET).sum((-1, -2), dtype=torch.int32)
    stability = inner / outer
    kept = stability >= STABILITY_THRESHOLD
    masks = logits[kept] > 0
    return MaskCandidates(masks, tight_boxes(masks), iou[kept], stability[kept], points[kept])


def tight_boxes(masks: Tensor) -> Tensor:
    """(M, H, W) bool -> (M, 4) float: first and last column and row; zeros for an empty mask."""
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
    """Non-maximum suppression: (M, 4), (M,) -> indices of the kept boxes, best first."""
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
        iou = overlap / (area[best] + area[order] - overlap)
        order = order[~(iou > _NMS_THRESHOLD)]  # NaN, of two boxes without area, is kept
    return torch.tensor(kept, dtype=torch.long, device=boxes.device)


def take(candidates: MaskCandidates, indices: Tensor) -> MaskCandidates:
    """The candidates at ``indices``, in this order."""
    return MaskCandidates(*(entry[indices] for entry in candidates))


def to_input(points: Tensor, size: tuple[int, int], content: tuple[int, int]) -> Tensor:
    """(M, 2) x and y in px of an image of ``size`` (H, W) -> in px of SAM's input."""
    scale = torch.tensor([content[1] / size[1], content[0] / size[0]], dtype=points.dtype)
    return points * scale.to(points.device)
