"""From hidden states to pixels without a mask decoder: what the language model added, refilled.

Amplifying (RFA): the difference between what left the language model and what entered it, spread
over four times the places. Refilling (RFR): that difference added to the fine grid which the
language model never saw. Source: SELF1E section 6 (``combine_decode_proj*`` of the authors).
"""

from typing import cast

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

    def draw(
        self, fine: Tensor, pictures: Tensor, residual: Tensor, queries: Tensor, owner: Tensor
    ) -> Tensor:
        """Queries (M, D) against ``describe(fine + enlarged residual)``: mask logits (M, H, W).

        fine (B, H, W, D); pictures (P,), residual (P, h, w, D): of P conversations; owner (M,): the
        conversation of each query, ascending. The outer layers of ``describe`` are linear, so both
        are moved to where there is less of everything: the first to the pixels of a picture and to
        the residual before it is enlarged, the last to the queries.
        """
        first, last = cast(nn.Linear, self.describe[0]), cast(nn.Linear, self.describe[2])
        added = enlarge(F.linear(residual, first.weight), fine.shape[1:3])
        features = self.describe[1](first(fine)[pictures] + added)
        offsets: Tensor = (queries @ last.bias).view(-1, 1, 1) / queries.shape[-1] ** 0.5
        return mask_logits(features, queries @ last.weight, owner) + offsets

    def query(self, seg: Tensor) -> Tensor:
        """Hidden states (M, D) from which ``[SEG]`` is told -> (M, D), to be laid over pixels."""
        query: Tensor = self.describe(self.amplify(seg).unflatten(1, (4, -1)).mean(1))
        return query


def enlarge(features: Tensor, size: torch.Size) -> Tensor:
    """(B, h, w, D) -> (B, H, W, D), bilinear."""
    maps = features.permute(0, 3, 1, 2)
    return F.interpolate(maps, size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


def mask_logits(features: Tensor, queries: Tensor, owner: Tensor) -> Tensor:
    """Pixels (P, H, W, D) and queries (M, D), query m to be laid over row ``owner[m]`` of them,
    ascending -> (M, H, W)."""
    count = torch.bincount(owner, minlength=len(features))
    place = torch.arange(len(owner), device=owner.device) - (count.cumsum(0) - count)[owner]
    padded = queries.new_zeros(len(features), int(count.max()), queries.shape[-1])
    padded[owner, place] = queries / queries.shape[-1] ** 0.5
    logits: Tensor = torch.einsum("phwd,pnd->pnhw", features, padded)[owner, place]
    return logits


def _perceptron(width: int, out: int) -> nn.Sequential:
    first, last = nn.Linear(width, width), nn.Linear(width, out)
    for layer in (first, last):
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.GELU(), last)
