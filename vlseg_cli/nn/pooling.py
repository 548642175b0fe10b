"""Mask and region pooling: the features under a mask as one vector.

LLM-Seg (``model/LISA.py``) and HRSeg (equation 10) average features upsampled to the masks' grid;
PSALM averages points spread over a region, HyperSeg the cells that a region touches.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

_EPSILON = 1e-8


def upsample(features: Tensor, size: int) -> Tensor:
    """(B, D, h, w) -> (B, D, S, S), bilinear, in float32 or float64."""
    exact = features if features.dtype is torch.float64 else features.float()
    return F.interpolate(exact, (size, size), mode="bilinear", align_corners=False)


def pool_masks(features: Tensor, masks: Tensor) -> Tensor:
    """Mask-weighted means: (D, S, S), (M, S, S) in [0, 1] -> (M, D); zeros for an empty mask."""
    weights = masks.to(features.dtype)
    summed = torch.einsum("kxy,dxy->kd", weights, features)
    return summed / (weights.sum((1, 2)).unsqueeze(1) + _EPSILON)


def region_points(mask: Tensor, count: int = 256) -> Tensor:
    """(H, W) bool -> (count, 2) points x, y in [0, 1), spread evenly over the mask's pixels.

    Raises ValueError for an empty mask.
    """
    pixels = mask.nonzero()
    if len(pixels) == 0:
        raise ValueError("a region prompt has no pixels")
    found = pixels.shape[0]  # not len(), which an exporter would take for a constant
    chosen = torch.arange(count, device=mask.device) * found // count
    rows, columns = pixels[chosen].unbind(-1)
    height, width = mask.shape
    return torch.stack([columns / width, rows / height], -1)


def pool_regions(features: Tensor, masks: Tensor) -> Tensor:
    """features (R, D, h, w), masks (R, H, W) bool -> (R, D), computed in float32."""
    return sample_mean(features, torch.stack([region_points(mask) for mask in masks]))


def region_cells(mask: Tensor, h: int, w: int) -> Tensor:
    """(H, W) bool -> (n, 2): x, y in [0, 1) of the corners of the map's cells that it covers.

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
    """As ``pool_regions``, over each cell of the feature map that a mask covers, once."""
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
