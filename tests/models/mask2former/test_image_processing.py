"""Images and masks of any size are resized to one grid, by the published code's rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.models.image_processing import MEAN, STD
from vlseg_cli.models.mask2former.image_processing import (
    PADDING,
    content_size,
    fit_masks,
    fit_pixels,
    fit_regions,
)
from vlseg_cli.schema import Frame, Sample, UsageError

sides = st.integers(1, 6000)


def frame_of(height: int, width: int, seed: int = 0) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Frame(pixels, "noise")


def uint8_of(geometry: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, S, S) normalized -> (S, S, 3) in 0..255."""
    return geometry.transpose(1, 2, 0) * STD + MEAN


@settings(max_examples=200, deadline=None)
@given(sides, sides, st.sampled_from((64, 192, 1024)))
def test_the_longest_side_fills_the_input_and_the_ratio_stays(
    height: int, width: int, size: int
) -> None:
    h, w = content_size(height, width, size)
    assert max(h, w) == size
    exact = (height * size / max(height, width), width * size / max(height, width))
    for side, wanted in zip((h, w), exact, strict=True):
        assert side == 1 if wanted < 1 else abs(side - wanted) <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("size", "height", "width", "content"),
    [
        (1024, 480, 640, (768, 1024)),
        (1024, 640, 480, (1024, 768)),
        (1024, 427, 640, (683, 1024)),
        (1024, 105, 2048, (52, 1024)),
        (1024, 161, 2048, (81, 1024)),
        (64, 35, 640, (4, 64)),
        (64, 1, 1, (64, 64)),
        (64, 1, 5000, (1, 64)),
    ],
)
def test_known_sizes(size: int, height: int, width: int, content: tuple[int, int]) -> None:
    """Halves are rounded as detectron2's arithmetic rounds them."""
    assert content_size(height, width, size) == content


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90))
def test_content_is_the_resized_image_and_the_rest_is_padding(height: int, width: int) -> None:
    frame = frame_of(height, width)
    geometry, (h, w) = fit_pixels(frame, 64)
    assert geometry.shape == (3, 64, 64) and geometry.dtype == np.float32
    assert (h, w) == content_size(height, width, 64)
    pixels = uint8_of(geometry)
    resized = Image.fromarray(frame.pixels).resize((w, h), Image.Resampling.BILINEAR)
    assert np.allclose(pixels[:h, :w], np.asarray(resized), atol=1e-3)
    assert np.allclose(pixels[h:], PADDING, atol=1e-3)
    assert np.allclose(pixels[:, w:], PADDING, atol=1e-3)


def test_an_image_of_the_input_size_is_unchanged() -> None:
    frame = frame_of(48, 64)
    assert np.allclose(uint8_of(fit_pixels(frame, 64)[0])[:48], frame.pixels, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 1000))
def test_masks_lie_on_the_grid_of_the_image(height: int, width: int, seed: int) -> None:
    """An image that is white where the mask is stays so, away from the mask's edges."""
    mask = np.zeros((height, width), bool)
    mask[: seed % height + 1, : seed % width + 1] = True
    white = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    geometry, (h, w) = fit_pixels(Frame(white, "white"), 64)
    (placed,) = fit_masks(mask[None], 64)
    level = uint8_of(geometry)[..., 0]
    content = np.zeros((64, 64), bool)
    content[:h, :w] = True
    assert placed[content & (level > 254)].all()
    assert not placed[content & (level < 1)].any()
    assert not placed[~content].any()


def test_masks_of_a_synthetic_scene_keep_their_area(samples: list[Sample]) -> None:
    for query in samples[0].queries:
        placed = fit_masks(query.masks, 128)
        assert placed.shape == (len(query.masks), 128, 128)
        h, w = content_size(*query.masks.shape[1:], 128)
        for mask, cells in zip(query.masks, placed, strict=True):
            assert cells[:h, :w].mean() == pytest.approx(mask.mean(), abs=0.02)


def test_no_masks_stay_no_masks() -> None:
    assert fit_masks(np.zeros((0, 30, 40), bool), 64).shape == (0, 64, 64)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_region_of_one_pixel_does_not_vanish(height: int, width: int, y: float, x: float) -> None:
    mask = np.zeros((1, height, width), bool)
    row, column = int(y * height), int(x * width)
    mask[0, row, column] = True
    (placed,) = fit_regions(mask, 32)
    assert placed.any()
    h, w = content_size(height, width, 32)
    rows, columns = np.nonzero(placed)
    assert rows.max() < h and columns.max() < w
    assert abs((rows.mean() + 0.5) / h - (row + 0.5) / height) <= 0.5 / h + 0.5 / height
    assert abs((columns.mean() + 0.5) / w - (column + 0.5) / width) <= 0.5 / w + 0.5 / width


def test_larger_regions_are_resized_as_masks() -> None:
    mask = np.zeros((1, 90, 120), bool)
    mask[0, 20:50, 30:60] = True
    assert (fit_regions(mask, 64) == fit_masks(mask, 64)).all()


def test_an_empty_region_is_an_error() -> None:
    with pytest.raises(UsageError, match="no pixels"):
        fit_regions(np.zeros((1, 9, 9), bool), 64)
