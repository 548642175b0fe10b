"""Image preprocessing against transformers' own processor with the settings of SELF1E."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from vlseg_cli.models.self1e.image_processing import fit_tiles, tile_layout
from vlseg_cli.schema import Frame

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def frame_of(height: int, width: int) -> Frame:
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)
    return Frame(pixels, "noise")


def processed(frame: Frame, size: int, **options: object) -> torch.Tensor:
    processor = GotOcr2ImageProcessorPil(
        size={"height": size, "width": size}, image_mean=MEAN, image_std=STD, **options
    )
    return processor(
        frame.pixels, return_tensors="pt", input_data_format="channels_last"
    ).pixel_values


@pytest.mark.parametrize(("height", "width"), [(56, 56), (37, 91), (150, 53), (1, 9), (3, 200)])
def test_without_tiles_the_image_is_one_square(height: int, width: int) -> None:
    frame = frame_of(height, width)
    assert tile_layout(frame, 56, 1) == (1, 1)
    ours = torch.from_numpy(fit_tiles(frame, 56, (1, 1)))
    theirs = processed(frame, 56, crop_to_patches=False)
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=0)


@settings(max_examples=12, deadline=None)
@given(height=st.integers(5, 120), width=st.integers(5, 120), most=st.integers(1, 4))
def test_tiles_equal_those_of_internvl(height: int, width: int, most: int) -> None:
    frame = frame_of(height, width)
    layout = tile_layout(frame, 28, most)
    ours = torch.from_numpy(fit_tiles(frame, 28, layout))
    theirs = processed(frame, 28, crop_to_patches=True, max_patches=most)
    assert len(ours) == layout[0] * layout[1] <= most
    # Theirs ends with a thumbnail wherever there are tiles; SELF1E takes none.
    torch.testing.assert_close(ours, theirs[: len(ours)], atol=2e-6, rtol=0)


def test_tiling_is_off_unlike_the_default_of_internvl() -> None:
    frame = frame_of(56, 112)
    assert len(processed(frame, 28, crop_to_patches=True)) > 1
    assert len(fit_tiles(frame, 28, tile_layout(frame, 28, 1))) == 1
