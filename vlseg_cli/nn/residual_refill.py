"""How SELF1E keeps the picture's fine grid beside the coarse one that a language model reads.

InternVL packs 2 x 2 patches into the channels of one token; here are the inverse, the packing that
loses no place (self-replication), and the order of tiles. Source: SELF1E sections 5 and 6.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TileLayout = tuple[int, int]  # rows and columns of tiles

_SIDE = 2  # patches per side of a token


def self_replicate(patches: Tensor) -> Tensor:
    """(B, L, C) -> (B, L, 4C): each patch fills a whole token, as if it were four alike."""
    return patches.repeat(1, 1, _SIDE**2)


def pixel_unshuffle(cells: Tensor) -> Tensor:
    """(B, h, w, 4D) -> (B, 2h, 2w, D): channels of a cell become its 2 x 2 places, row by row."""
    b, h, w, channels = cells.shape
    places = cells.view(b, h, w, _SIDE, _SIDE, channels // _SIDE**2)
    return places.transpose(2, 3).reshape(b, _SIDE * h, _SIDE * w, -1)


def stitch_tiles(tokens: Tensor, layout: TileLayout) -> Tensor:
    """(B, L, D), tile after tile, each square and row by row -> (B, h, w, D), one map."""
    rows, columns = layout
    side = round((tokens.shape[1] / (rows * columns)) ** 0.5)
    tiles = tokens.view(len(tokens), rows, columns, side, side, -1)
    return tiles.transpose(2, 3).reshape(len(tokens), rows * side, columns * side, -1)


class ResidualRefill(nn.Module):
    """Three perceptrons of the language model's width D: ``amplify`` reads its outputs, ``restore``
    its inputs, ``describe`` makes pixels and ``[SEG]`` comparable."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.amplify = _mlp(width, 4 * width)
        self.restore = _mlp(width, 4 * width)
        self.describe = _mlp(width, width)

    def residual(self, amplified: Tensor, restored: Tensor) -> Tensor:
        """(B, h, w, 4D) each -> (B, 2h, 2w, D): what the language model added, by places."""
        return pixel_unshuffle(amplified - restored)

    def predict_masks(
        self, fine: Tensor, pictures: Tensor, residual: Tensor, queries: Tensor, owner: Tensor
    ) -> Tensor:
        """Queries (M, D) against ``describe(fine + enlarged residual)``: mask logits (M, H, W).

        fine (B, H, W, D); pictures (P,), residual (P, h, w, D): of P conversations; owner (M,): the
        conversation of each query, ascending. The outer layers of ``describe`` are linear, so both
        are moved to where there is less of everything: the first to the pixels of a picture and to
        the residual before it is enlarged, the last to the queries.
        """
        first, last = cast(nn.Linear, self.describe[0]), cast(nn.Linear, self.describe[2])
        added = upsample_map(F.linear(residual, first.weight), fine.shape[1:3])
        features = self.describe[1](first(fine)[pictures] + added)
        offsets: Tensor = (queries @ last.bias).view(-1, 1, 1) / queries.shape[-1] ** 0.5
        return mask_logits(features, queries @ last.weight, owner) + offsets

    def query(self, seg: Tensor) -> Tensor:
        """Hidden states (M, D) from which ``[SEG]`` is told -> (M, D), to be laid over pixels."""
        query: Tensor = self.describe(self.amplify(seg).unflatten(1, (4, -1)).mean(1))
        return query


def upsample_map(features: Tensor, size: torch.Size) -> Tensor:
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


def _mlp(width: int, out: int) -> nn.Sequential:
    first, last = nn.Linear(width, width), nn.Linear(width, out)
    for layer in (first, last):
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.GELU(), last)


def two_pathway_mask(image: Tensor, seg: Tensor, padding: Tensor) -> Tensor:
    """(B, L) bool each: image tokens, ``[SEG]`` tokens, padding -> (B, 1, L, L) bool, True where
    the query (second last axis) may look at the key (last axis).

    A row without ``[SEG]`` is causal. Nobody looks at padding but itself, which keeps its softmax
    defined; without any ``[SEG]`` in the batch not even that, as in the authors' code.
    """
    length = image.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=image.device).tril()
    shown = (image & seg.any(1, keepdim=True)) | seg
    allowed = causal | (image.unsqueeze(2) & shown.unsqueeze(1))
    allowed = allowed & ~padding.unsqueeze(1)
    if seg.any():
        allowed = allowed | torch.eye(length, dtype=torch.bool, device=image.device)
    return allowed.unsqueeze(1)
