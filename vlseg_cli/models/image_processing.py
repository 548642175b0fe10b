"""Image tensors that several systems need: ImageNet's mean and standard deviation, SAM's square."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


def longest_side(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longest side became ``size``, each at least 1."""
    scale = size / max(height, width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def fit_square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """(H, W, 3) -> (3, size, size): longest side to size, normalized, zeros right and below."""
    h, w = longest_side(pixels.shape[0], pixels.shape[1], size)
    resized = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BILINEAR))
    canvas = np.zeros((3, size, size), np.float32)
    canvas[:, :h, :w] = ((resized.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)
    return canvas
