"""How SELF1E keeps the picture's fine grid beside the coarse one that a language model reads.

InternVL packs 2 x 2 patches into the channels of one token; here are the inverse, the packing that
loses no place (self-replication), and the order of tiles. Source: SELF1E sections 5 and 6.
"""

from torch import Tensor

Layout = tuple[int, int]  # rows and columns of tiles

_SIDE = 2  # patches per side of a token


def self_replicate(patches: Tensor) -> Tensor:
    """(B, L, C) -> (B, L, 4C): each patch fills a whole token, as if it were four alike."""
    return patches.repeat(1, 1, _SIDE**2)


def pixel_unshuffle(cells: Tensor) -> Tensor:
    """(B, h, w, 4D) -> (B, 2h, 2w, D): channels of a cell become its 2 x 2 places, row by row."""
    b, h, w, channels = cells.shape
    places = cells.view(b, h, w, _SIDE, _SIDE, channels // _SIDE**2)
    return places.transpose(2, 3).reshape(b, _SIDE * h, _SIDE * w, -1)


def stitch(tokens: Tensor, layout: Layout) -> Tensor:
    """(B, L, D), tile after tile, each square and row by row -> (B, h, w, D), one map."""
    rows, columns = layout
    side = round((tokens.shape[1] / (rows * columns)) ** 0.5)
    tiles = tokens.view(len(tokens), rows, columns, side, side, -1)
    return tiles.transpose(2, 3).reshape(len(tokens), rows * side, columns * side, -1)
