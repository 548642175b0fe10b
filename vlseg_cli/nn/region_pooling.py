"""What a region looks like: features averaged over points inside the user's mask.

Source: PSALM section 6, ``region_sampler``: points without half-pixel shift, bilinear samples with
align_corners=True, 256 of them. We take evenly spaced points instead of random ones, so that the
same question has the same answer twice.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def region_points(mask: Tensor, count: int = 256) -> Tensor:
    """(H, W) bool -> (count, 2) points x, y in [0, 1), spread evenly over the mask's pixels.

    Raises ValueError for an empty mask.
    """
    pixels = mask.nonzero()
    if len(pixels) == 0:
        raise ValueError("a region prompt has no pixels")
    chosen = torch.arange(count, device=mask.device) * len(pixels) // count
    rows, columns = pixels[chosen].unbind(-1)
    height, width = mask.shape
    return torch.stack([columns / width, rows / height], -1)


def pool_regions(features: Tensor, masks: Tensor) -> Tensor:
    """features (R, D, h, w), masks (R, H, W) bool -> (R, D), computed in float32."""
    points = torch.stack([region_points(mask) for mask in masks])
    grid = (2 * points - 1).unsqueeze(1).float()
    samples = F.grid_sample(features.float(), grid, align_corners=True, padding_mode="zeros")
    return samples.squeeze(2).mean(-1).to(features.dtype)
