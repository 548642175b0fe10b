"""A frame becomes network input: longest side to size, padded right and below, normalized.

Source: PSALM section 2 (detectron2's ResizeShortestEdge and FixedSizeCrop): Pillow bilinear on
uint8, padding of 128 before normalization. For SigLIP the whole frame is squashed to a square
(HyperSeg section 3).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.models.image_processing import MEAN, STD
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.schema import Frame, UsageError

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
    """A frame -> (3, size, size) normalized, and its content (h, w) within."""
    h, w = content_size(frame.height, frame.width, size)
    pixels = frame.pixels
    if (h, w) != pixels.shape[:2]:
        pixels = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BILINEAR))
    canvas = np.full((size, size, 3), PADDING, np.uint8)
    canvas[:h, :w] = pixels
    normalized = (canvas.astype(np.float32) - MEAN) / STD
    return np.ascontiguousarray(normalized.transpose(2, 0, 1)), (h, w)


def fit_frames(
    frames: Sequence[Frame], size: int
) -> tuple[NDArray[np.float32], tuple[ImageGeometry, ...]]:
    """Frames as network input (B, 3, size, size), and their sizes on the way."""
    fitted = [fit_pixels(frame, size) for frame in frames]
    return np.stack([pixels for pixels, _ in fitted]), tuple(
        ImageGeometry((size, size), content, (frame.height, frame.width))
        for frame, (_, content) in zip(frames, fitted, strict=True)
    )


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
    """As ``fit_masks``, for region prompts: the cell of a region's middle pixel always stays.

    Raises UsageError for a region without pixels.
    """
    fitted = fit_masks(masks, size)
    for mask, cells in zip(masks, fitted, strict=True):
        _keep_middle(mask, cells, content_size(mask.shape[0], mask.shape[1], size))
    return fitted


def squash_pixels(frame: Frame, size: int) -> NDArray[np.float32]:
    """A frame -> (3, size, size) in [-1, 1], without keeping its aspect ratio; bicubic."""
    squashed = Image.fromarray(frame.pixels).resize((size, size), Image.Resampling.BICUBIC)
    scaled = (np.asarray(squashed, np.float32) / 255 - 0.5) / 0.5
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def squash_regions(masks: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """(N, H, W) -> (N, size, size) on the same grid as ``squash_pixels``; the cell of a region's
    middle pixel always stays. Raises UsageError for a region without pixels."""
    fitted = np.zeros((len(masks), size, size), bool)
    for mask, cells in zip(masks, fitted, strict=True):
        image = Image.fromarray(mask.view(np.uint8))
        cells[:] = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC)) > 0
        _keep_middle(mask, cells, (size, size))
    return fitted


def _keep_middle(
    mask: NDArray[np.bool_], cells: NDArray[np.bool_], content: tuple[int, int]
) -> None:
    """Fill the cell of a mask's middle pixel if no cell was filled; content: size of the mask."""
    if not cells.any():
        (height, width), (row, column) = mask.shape, _middle(mask)
        cells[row * content[0] // height, column * content[1] // width] = True


def _middle(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Row and column of the median of a mask's pixels in reading order."""
    pixels = np.argwhere(mask)
    if not len(pixels):
        raise UsageError("A region prompt has no pixels: mark at least one.")
    row, column = pixels[len(pixels) // 2]
    return int(row), int(column)
