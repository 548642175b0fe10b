"""What lies under a soft mask, as one vector.

Source: LLM-Seg ``model/LISA.py``: features are enlarged to the masks' grid and averaged with the
masks as weights; HRSeg equation 10 keeps it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

_EPSILON = 1e-8


def enlarge(features: Tensor, size: int) -> Tensor:
    """(B, D, h, w) -> (B, D, S, S), bilinear; half precision passes through float32."""
    exact = features if features.dtype is torch.float64 else features.float()
    return F.interpolate(exact, (size, size), mode="bilinear", align_corners=False)


def pool_masks(features: Tensor, masks: Tensor) -> Tensor:
    """(D, S, S), (K, S, S) in [0, 1] -> (K, D); an empty mask gives zeros."""
    weights = masks.to(features.dtype)
    summed = torch.einsum("kxy,dxy->kd", weights, features)
    return summed / (weights.sum((1, 2)).unsqueeze(1) + _EPSILON)
