"""Boxes as detection transformers use them: cx, cy, w, h as fractions of the image, as logits for
refinement; overlap, position encodings and conversion to pixels."""

import math

import torch
from torch import Tensor

from vlseg_cli.nn.postprocessing import ImageGeometry

_EPS = 1e-5  # boxes are clamped to [eps, 1 - eps] before the logit
_AREA = 1e-6  # added to denominators, as in the authors' code


def box_logits(boxes: Tensor) -> Tensor:
    """Boxes in [0, 1] to finite logits."""
    return torch.logit(boxes, _EPS)


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """(…, 4) cx, cy, w, h -> x0, y0, x1, y1."""
    center, size = boxes.chunk(2, -1)
    return torch.cat([center - size / 2, center + size / 2], -1)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """(…, 4) x0, y0, x1, y1 -> cx, cy, w, h."""
    low, high = boxes.chunk(2, -1)
    return torch.cat([(low + high) / 2, high - low], -1)


def box_iou(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 4) and (M, 4) as cx, cy, w, h -> IoU and generalized IoU, (N, M) each."""
    a, b = cxcywh_to_xyxy(first).unsqueeze(1), cxcywh_to_xyxy(second).unsqueeze(0)
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(0)
    outer = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    overlap, hull = inner.prod(-1), outer.prod(-1)
    area = first[:, 2:].prod(1).unsqueeze(1) + second[:, 2:].prod(1).unsqueeze(0)
    union = area - overlap
    iou = overlap / union.clamp(min=1e-12)
    return iou, iou - (hull - union) / hull.clamp(min=1e-12)


def generalized_iou(one: Tensor, other: Tensor) -> Tensor:
    """Boxes as corners, broadcast against each other -> (…) in [-1, 1].

    Source: Rezatofighi et al., CVPR 2019; MVP-LM's denominators have 1e-6 added.
    """
    (low, high), (other_low, other_high) = one.chunk(2, -1), other.chunk(2, -1)
    inside = _area(torch.max(low, other_low), torch.min(high, other_high))
    around = _area(torch.min(low, other_low), torch.max(high, other_high))
    union = _area(low, high) + _area(other_low, other_high) - inside
    return inside / (union + _AREA) - (around - union) / (around + _AREA)


def boxes_to_pixels(boxes: Tensor, geometry: ImageGeometry) -> Tensor:
    """(N, 4) cx, cy, w, h of the padded input -> x0, y0, x1, y1 in px of the original image, not
    clipped to it."""
    (height, width), (h, w), (original_h, original_w) = geometry
    scale = boxes.new_tensor([width / w * original_w, height / h * original_h])
    return cxcywh_to_xyxy(boxes) * scale.repeat(2)


def sine_position(boxes: Tensor, channels: int) -> Tensor:
    """(…, 4) boxes -> (…, 2·channels): sines and cosines of y, x, w, h, ``channels``/2 each
    (Conditional DETR, DAB-DETR)."""
    half = channels // 2
    power = torch.arange(half, device=boxes.device) // 2 * 2 / half
    frequency = (2 * math.pi / 10000**power).to(boxes.dtype)
    x, y, w, h = boxes.unsqueeze(-1).unbind(-2)
    waves = torch.stack([y, x, w, h], -2) * frequency
    mixed = torch.stack([waves[..., 0::2].sin(), waves[..., 1::2].cos()], -1)
    return mixed.flatten(-3)


def _area(low: Tensor, high: Tensor) -> Tensor:
    sides = (high - low).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def mask_boxes(truth: Tensor) -> Tensor:
    """(M, h, w) masks in [0, 1] -> (M, 4) cx, cy, w, h in [0, 1]: the box of cells above one half,
    or of all nonzero cells where none is."""
    inside = truth > 0.5
    clear = inside.flatten(1).any(1).view(-1, 1, 1)
    inside = inside | (~clear & (truth > 0))
    spans = [_span(inside.any(1)), _span(inside.any(2))]
    (x0, x1), (y0, y1) = spans
    return torch.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], 1)


def _span(line: Tensor) -> tuple[Tensor, Tensor]:
    """(M, n) bool -> first and one past the last True as fractions of n."""
    n = line.shape[1]
    first = line.float().argmax(1)
    last = n - line.flip(1).float().argmax(1)
    return first / n, last / n
