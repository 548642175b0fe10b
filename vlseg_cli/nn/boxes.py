"""Boxes as shares of a picture: overlap, and the overlap that also knows how far apart they are."""

import torch
from torch import Tensor


def corners(boxes: Tensor) -> Tensor:
    """(N, 4) cx, cy, w, h -> x0, y0, x1, y1."""
    centre, size = boxes[:, :2], boxes[:, 2:]
    return torch.cat([centre - size / 2, centre + size / 2], 1)


def box_iou(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 4) and (M, 4) as cx, cy, w, h -> IoU and generalised IoU, (N, M) each."""
    a, b = corners(first).unsqueeze(1), corners(second).unsqueeze(0)
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(0)
    outer = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    overlap, hull = inner.prod(-1), outer.prod(-1)
    area = first[:, 2:].prod(1).unsqueeze(1) + second[:, 2:].prod(1).unsqueeze(0)
    union = area - overlap
    iou = overlap / union.clamp(min=1e-12)
    return iou, iou - (hull - union) / hull.clamp(min=1e-12)
