"""A frame becomes network input: longest side to size, padded right and below, normalised.

Source: PSALM section 2 (detectron2's ResizeShortestEdge and FixedSizeCrop): Pillow bilinear on
uint8, padding of 128 before normalisation.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.schema import Frame, UsageError

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
PADDING = 128


def content_size(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longest side became ``size``, each at least 1.

    In the order of detectron2's arithmetic, which decides how exact halves are rounded.
    """
    scale = size / min(height, width)
    h, w = (size, scale * width) if height < width else (scale * height, size)
    longest = max(h, w)
    if longest > size:
        h, w = h * (size / longest), w * (size / longest)
    return max(1, int(h + 0.5)), max(1, int(w + 0.5))


def fit_pixels(frame: Frame, size: int) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """A frame -> (3, size, size) normalised, and its content (h, w) within."""
    h, w = content_size(frame.height, frame.width, size)
    pixels = frame.pixels
    if (h, w) != pixels.shape[:2]:
        pixels = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BILINEAR))
    canvas = np.full((size, size, 3), PADDING, np.uint8)
    canvas[:h, :w] = pixels
    normalised = (canvas.astype(np.float32) - MEAN) / STD
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)), (h, w)


def fit_masks(masks: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """(N, H, W) -> (N, size, size) on the same grid as ``fit_pixels``; nearest, padded False."""
    h, w = content_size(masks.shape[1], masks.shape[2], size)
    canvas = np.zeros((len(masks), size, size), bool)
    for index, mask in enumerate(masks):
        if (h, w) != mask.shape:
            image = Image.fromarray(mask.view(np.uint8) * 255)
            mask = np.asarray(image.resize((w, h), Image.Resampling.NEAREST)) > 0
        canvas[index, :h, :w] = mask
    return canvas


def fit_regions(masks: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """As ``fit_masks``, for what a user points at: the cell of its middle pixel always stays.

    Raises UsageError for a region without pixels.
    """
    placed = fit_masks(masks, size)
    for mask, cells in zip(masks, placed, strict=True):
        if not cells.any():
            (height, width), (row, column) = mask.shape, _middle(mask)
            h, w = content_size(height, width, size)
            cells[row * h // height, column * w // width] = True
    return placed


def _middle(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Row and column of a mask's pixel in the middle of its pixels."""
    pixels = np.argwhere(mask)
    if not len(pixels):
        raise UsageError("A region prompt has no pixels: mark at least one.")
    row, column = pixels[len(pixels) // 2]
    return int(row), int(column)
