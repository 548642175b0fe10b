"""Residual features refilling: SELF1E's fine image grid beside the language model's coarse one.

InternVL packs 2 × 2 patches into the channels of one token; here are the inverse, the packing that
keeps every position (self-replication), and the order of tiles. Source: SELF1E sections 5 and 6.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TileLayout = tuple[int, int]  # rows and columns of tiles

_SIDE = 2  # patches per side of a token


def self_replicate(patches: Tensor) -> Tensor:
    """(B, L, C) -> (B, L, 4C): each patch repeated to the channels of a whole token."""
    return patches.repeat(1, 1, _SIDE**2)


def pixel_unshuffle(cells: Tensor) -> Tensor:
    """(B, h, w, 4D) -> (B, 2h, 2w, D): channels of a cell become 2 × 2 positions, row by row."""
    b, h, w, channels = cells.shape
    positions = cells.view(b, h, w, _SIDE, _SIDE, channels // _SIDE**2)
    return positions.transpose(2, 3).reshape(b, _SIDE * h, _SIDE * w, -1)


def stitch_tiles(tokens: Tensor, layout: TileLayout) -> Tensor:
    """(B, L, D), tile after tile, each square and row-major -> one map (B, h, w, D)."""
    rows, columns = layout
    side = round((tokens.shape[1] / (rows * columns)) ** 0.5)
    tiles = tokens.view(len(tokens), rows, columns, side, side, -1)
    return tiles.transpose(2, 3).reshape(len(tokens), rows * side, columns * side, -1)


class ResidualRefill(nn.Module):
    """Three MLPs at the language model's width D: ``amplify`` of its outputs, ``restore`` of its
    inputs, ``describe`` to the space in which pixels and ``[SEG]`` are compared."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.amplify = _mlp(width, 4 * width)
        self.restore = _mlp(width, 4 * width)
        self.describe = _mlp(width, width)

    def residual(self, amplified: Tensor, restored: Tensor) -> Tensor:
        """(B, h, w, 4D) each -> (B, 2h, 2w, D): the language model's outputs minus its inputs."""
        return pixel_unshuffle(amplified - restored)

    def predict_masks(
        self, fine: Tensor, image_index: Tensor, residual: Tensor, queries: Tensor, owner: Tensor
    ) -> Tensor:
        """Queries (M, D) against ``describe(fine + upsampled residual)``: mask logits (M, H, W).

        fine (B, H, W, D); image_index (P,) and residual (P, h, w, D) of P conversations; owner
        (M,): the conversation of each query, ascending. The outer layers of ``describe`` are
        linear, so they are applied where tensors are smallest: the first to an image's pixels and
        to the residual before upsampling, the last to the queries.
        """
        first, last = cast(nn.Linear, self.describe[0]), cast(nn.Linear, self.describe[2])
        added = upsample_map(F.linear(residual, first.weight), fine.shape[1:3])
        features = self.describe[1](first(fine)[image_index] + added)
        offsets: Tensor = (queries @ last.bias).view(-1, 1, 1) / queries.shape[-1] ** 0.5
        return mask_logits(features, queries @ last.weight, owner) + offsets

    def query(self, seg: Tensor) -> Tensor:
        """Hidden states (M, D) that predict ``[SEG]`` -> queries (M, D) for the pixels."""
        query: Tensor = self.describe(self.amplify(seg).unflatten(1, (4, -1)).mean(1))
        return query


def upsample_map(features: Tensor, size: torch.Size) -> Tensor:
    """(B, h, w, D) -> (B, H, W, D), bilinear."""
    maps = features.permute(0, 3, 1, 2)
    return F.interpolate(maps, size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


def mask_logits(features: Tensor, queries: Tensor, owner: Tensor) -> Tensor:
    """Scaled dot products of pixels (P, H, W, D) and queries (M, D), each with row ``owner[m]`` of
    the pixels; owner ascending -> (M, H, W)."""
    count = torch.bincount(owner, minlength=len(features))
    slot = torch.arange(len(owner), device=owner.device) - (count.cumsum(0) - count)[owner]
    padded = queries.new_zeros(len(features), int(count.max()), queries.shape[-1])
    padded[owner, slot] = queries / queries.shape[-1] ** 0.5
    logits: Tensor = torch.einsum("phwd,pnd->pnhw", features, padded)[owner, slot]
    return logits


def _mlp(width: int, out: int) -> nn.Sequential:
    first, last = nn.Linear(width, width), nn.Linear(width, out)
    for layer in (first, last):
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.GELU(), last)


def two_pathway_mask(image: Tensor, seg: Tensor, padding: Tensor) -> Tensor:
    """(B, L) bool each: image tokens, ``[SEG]`` tokens, padding -> (B, 1, L, L) bool, True where
    the query (second last axis) may attend to the key (last axis).

    Image tokens also attend to later image tokens and to ``[SEG]``; a row without ``[SEG]`` is
    causal. Padding is attended to by itself only, which keeps its softmax defined; without any
    ``[SEG]`` in the batch not even that, as in the authors' code.
    """
    length = image.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=image.device).tril()
    visible = (image & seg.any(1, keepdim=True)) | seg
    allowed = causal | (image.unsqueeze(2) & visible.unsqueeze(1))
    allowed = allowed & ~padding.unsqueeze(1)
    if seg.any():
        allowed = allowed | torch.eye(length, dtype=torch.bool, device=image.device)
    return allowed.unsqueeze(1)
