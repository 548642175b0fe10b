"""A frame becomes what HRSeg's two pairs of eyes get, and proposals become soft masks beside it.

Source: LLM-Seg ``utils/*_dataset.py`` and SAM's ``ResizeLongestSide``; HRSeg section 3.2. Unlike
PSALM's pictures these are padded with zeros after they were normalised.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.configs.hrseg import HRSegConfig
from vlseg_cli.models.pixels.padded import MEAN, STD
from vlseg_cli.nn.llava import GRIDS
from vlseg_cli.nn.windows import cut_windows
from vlseg_cli.schema import Frame


class Pictures(NamedTuple):
    """B pictures for LLaVA: pixels, and their own sizes (B, 2) in px."""

    pixels: Tensor
    sizes: Tensor


def longest_side(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longest side became ``size``, each at least 1."""
    scale = size / max(height, width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def fit_square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """(H, W, 3) -> (3, size, size): longest side to size, normalised, zeros right and below."""
    h, w = longest_side(pixels.shape[0], pixels.shape[1], size)
    resized = np.asarray(Image.fromarray(pixels).resize((w, h), Image.Resampling.BILINEAR))
    canvas = np.zeros((3, size, size), np.float32)
    canvas[:, :h, :w] = ((resized.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)
    return canvas


def fit_views(frame: Frame, view: int, windows: int) -> Tensor:
    """(1 + N², 3, S, S): the whole picture, then N × N windows of it at N times the size.

    The large picture comes from the original, not from the small one. ``windows`` is N.
    """
    whole = torch.from_numpy(fit_square(frame.pixels, view))[None]
    if not windows:
        return whole
    large = torch.from_numpy(fit_square(frame.pixels, view * windows))
    return torch.cat([whole, cut_windows(large, windows)])


def fit_llava(frames: Sequence[Frame], config: HRSegConfig) -> Pictures:
    """What CLIP gets, by the processors of transformers that need no torchvision."""
    process = _processor(config)
    images = [Image.fromarray(frame.pixels) for frame in frames]
    if config.llava == "v1" and config.picture_fit == "pad":
        images = [_squared(image) for image in images]
    sizes = torch.tensor([(frame.height, frame.width) for frame in frames])
    return Pictures(process(images, return_tensors="pt")["pixel_values"], sizes)


def soft_masks(masks: NDArray[np.bool_], size: int, antialias: bool = True) -> Tensor:
    """(K, h, w) -> (K, size, size) in [0, 1], of the picture in the corner of a square.

    antialias: LLM-Seg leaves it out for some of its training data; HRSeg here never does.
    """
    longest = max(masks.shape[1:])
    square = torch.zeros(len(masks), 1, longest, longest)
    square[:, 0, : masks.shape[1], : masks.shape[2]] = torch.from_numpy(masks)
    soft = F.interpolate(square, (size, size), mode="bilinear", antialias=antialias)
    return soft.squeeze(1)


def _squared(image: Image.Image) -> Image.Image:
    """The picture in the corner of a black square."""
    canvas = Image.new("RGB", (max(image.size),) * 2)
    canvas.paste(image)
    return canvas


@cache
def _processor(config: HRSegConfig) -> Any:
    """CLIP's or LLaVA-NeXT's own preparation at the model's size."""
    square = {"height": config.clip_image, "width": config.clip_image}
    shortest = {"shortest_edge": config.clip_image}
    if config.llava == "v1":
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        return CLIPImageProcessorPil(size=shortest, crop_size=square)
    from transformers.models.llava_next.image_processing_pil_llava_next import (
        LlavaNextImageProcessorPil,
    )

    grids = [[h * config.clip_image, w * config.clip_image] for h, w in GRIDS]
    return LlavaNextImageProcessorPil(size=shortest, crop_size=square, image_grid_pinpoints=grids)
