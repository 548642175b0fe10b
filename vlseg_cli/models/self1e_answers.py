"""Masks and words become a Prediction: one function per kind of task (SELF1E section 7)."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F


def to_frame(pred_masks: Tensor, size: Sequence[int]) -> Tensor:
    """(M, h, w) logits -> (M, H, W) on the frame's own grid; the square resize is undone by it."""
    return F.interpolate(pred_masks[None], list(size), mode="bilinear", align_corners=False)[0]
