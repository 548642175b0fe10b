"""What a region looks like: features averaged over points inside the user's mask.

Source: PSALM section 6 and HyperSeg section 9.3, ``region_sampler``: points without half-pixel
shift, bilinear samples with align_corners=True, so many of them. Where the authors draw at random
we take what makes the same question have the same answer twice: evenly spaced points for PSALM, and
for HyperSeg, which draws among the map's cells, each cell once (the mean of their draws).
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
    return sample_mean(features, torch.stack([region_points(mask) for mask in masks]))


def region_cells(mask: Tensor, h: int, w: int) -> Tensor:
    """(H, W) bool -> (n, 2): x, y in [0, 1) of the corners of the map's cells that it touches.

    Raises ValueError for an empty mask.
    """
    pixels = mask.nonzero()
    if len(pixels) == 0:
        raise ValueError("a region prompt has no pixels")
    sizes = pixels.new_tensor([h, w])
    cells = torch.unique((pixels / pixels.new_tensor(mask.shape) * sizes).floor(), dim=0)
    corners: Tensor = cells / sizes
    return corners.flip(-1)


def pool_cells(features: Tensor, masks: Tensor) -> Tensor:
    """As ``pool_regions``, each cell of the feature map that a mask touches counted once."""
    h, w = features.shape[-2:]
    each = [
        sample_mean(one[None], region_cells(mask, h, w)[None])
        for one, mask in zip(features, masks, strict=True)
    ]
    return torch.cat(each)


def sample_mean(features: Tensor, points: Tensor) -> Tensor:
    """features (R, D, h, w), points (R, n, 2) as x, y in [0, 1] -> mean bilinear sample (R, D)."""
    grid = (2 * points - 1).unsqueeze(1).float()
    samples = F.grid_sample(features.float(), grid, align_corners=True, padding_mode="zeros")
    return samples.squeeze(2).mean(-1).to(features.dtype)
