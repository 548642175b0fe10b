"""One large picture as N × N windows of an encoder's own size, and their tokens put together again.

Source: HRSeg section 3.2 (equations 3 and 7). The windows lie edge to edge and row by row, so one
token of the overview covers exactly the same pixels as N × N tokens of the windows.
"""

from torch import Tensor


def cut_windows(image: Tensor, count: int) -> Tensor:
    """(C, N·H, N·W) -> (N², C, H, W), row by row; ``count`` is N."""
    channels, height, width = image.shape
    tiles = image.reshape(channels, count, height // count, count, width // count)
    return tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)


def join_windows(tokens: Tensor) -> Tensor:
    """Tokens of each window (B, N², h, w, D) -> one map (B, N·h, N·w, D)."""
    batch, squared, h, w, channels = tokens.shape
    count = round(squared**0.5)
    grid = tokens.view(batch, count, count, h, w, channels).transpose(2, 3)
    return grid.reshape(batch, count * h, count * w, channels)


def regions_of(tokens: Tensor, count: int) -> Tensor:
    """One map (B, N·h, N·w, D) -> (B, h·w, N², D): what lies under each token of the overview.

    The paper prints overlapping regions, whose number contradicts its shapes; these do not overlap.
    """
    batch, height, width, channels = tokens.shape
    h, w = height // count, width // count
    cells = tokens.view(batch, h, count, w, count, channels).transpose(2, 3)
    return cells.reshape(batch, h * w, count * count, channels)
