"""A frame becomes the inputs of CLIP and DINOv2, and proposals become soft masks on their grid.

Source: LLM-Seg ``utils/*_dataset.py`` and SAM's ``ResizeLongestSide``; HRSeg section 3.2. Images
are padded with zeros after normalization.
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

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.image_processing import fit_square
from vlseg_cli.nn.high_resolution import cut_windows
from vlseg_cli.nn.llava import GRIDS
from vlseg_cli.schema import Frame


class HRSegImages(NamedTuple):
    """B images for LLaVA: pixels, and their original sizes (B, 2) as height and width in px."""

    pixels: Tensor
    sizes: Tensor


def fit_views(frame: Frame, view: int, windows: int) -> Tensor:
    """(1 + N², 3, S, S): the whole image, then N × N windows of it at N times the size.

    The enlarged image is resized from the original. ``windows`` is N.
    """
    whole = torch.from_numpy(fit_square(frame.pixels, view))[None]
    if not windows:
        return whole
    large = torch.from_numpy(fit_square(frame.pixels, view * windows))
    return torch.cat([whole, cut_windows(large, windows)])


def fit_llava(frames: Sequence[Frame], config: HRSegConfig) -> HRSegImages:
    """CLIP's input, by the processors of transformers that need no torchvision."""
    process = _processor(config)
    images = [Image.fromarray(frame.pixels) for frame in frames]
    if config.llava == "v1" and config.image_fit == "pad":
        images = [_pad_to_square(image) for image in images]
    sizes = torch.tensor([(frame.height, frame.width) for frame in frames])
    return HRSegImages(process(images, return_tensors="pt")["pixel_values"], sizes)


def soft_masks(masks: NDArray[np.bool_], size: int, antialias: bool = True) -> Tensor:
    """(K, h, w) -> (K, size, size) in [0, 1], of the image in the top left corner of a square.

    antialias: LLM-Seg leaves it out for some of its training data; HRSeg here never does.
    """
    longest = max(masks.shape[1:])
    square = torch.zeros(len(masks), 1, longest, longest)
    square[:, 0, : masks.shape[1], : masks.shape[2]] = torch.from_numpy(masks)
    soft = F.interpolate(square, (size, size), mode="bilinear", antialias=antialias)
    return soft.squeeze(1)


def _pad_to_square(image: Image.Image) -> Image.Image:
    """The image in the top left corner of a black square."""
    square = Image.new("RGB", (max(image.size),) * 2)
    square.paste(image)
    return square


@cache
def _processor(config: HRSegConfig) -> Any:
    """The image processor of CLIP or LLaVA-NeXT at the model's size."""
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
