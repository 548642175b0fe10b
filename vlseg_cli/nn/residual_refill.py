"""From hidden states to pixels without a mask decoder: what the language model added, refilled.

Amplifying (RFA): the difference between what left the language model and what entered it, spread
over four times the places. Refilling (RFR): that difference added to the fine grid which the
language model never saw. Source: SELF1E section 6 (``combine_decode_proj*`` of the authors).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.nn.pixel_unshuffle import pixel_unshuffle


class ResidualRefill(nn.Module):
    """Three perceptrons of the language model's width D: ``amplify`` reads its outputs, ``restore``
    its inputs, ``describe`` makes pixels and ``[SEG]`` comparable."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.amplify = _perceptron(width, 4 * width)
        self.restore = _perceptron(width, 4 * width)
        self.describe = _perceptron(width, width)

    def residual(self, amplified: Tensor, restored: Tensor) -> Tensor:
        """(B, h, w, 4D) each -> (B, 2h, 2w, D): what the language model added, by places."""
        return pixel_unshuffle(amplified - restored)

    def refill(self, fine: Tensor, residual: Tensor) -> Tensor:
        """Fine grid (B, H, W, D) and a coarser residual (B, h, w, D) -> (B, H, W, D)."""
        return fine + enlarge(residual, fine.shape[1:3])

    def query(self, seg: Tensor) -> Tensor:
        """Hidden states (M, D) from which ``[SEG]`` is told -> (M, D), to be laid over pixels."""
        query: Tensor = self.describe(self.amplify(seg).unflatten(1, (4, -1)).mean(1))
        return query


def enlarge(features: Tensor, size: torch.Size) -> Tensor:
    """(B, h, w, D) -> (B, H, W, D), bilinear."""
    maps = features.permute(0, 3, 1, 2)
    return F.interpolate(maps, size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


def mask_logits(features: Tensor, queries: Tensor) -> Tensor:
    """Pixels (M, H, W, D) and a query each (M, D) -> (M, H, W)."""
    logits: Tensor = torch.einsum("mhwd,md->mhw", features, queries)
    scaled: Tensor = logits / queries.shape[-1] ** 0.5
    return scaled


def _perceptron(width: int, out: int) -> nn.Sequential:
    first, last = nn.Linear(width, width), nn.Linear(width, out)
    for layer in (first, last):
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.GELU(), last)
