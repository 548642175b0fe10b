"""Every pixel mode a file can hold comes out as the RGB a person would see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vlseg_cli.media.color import to_rgb
from vlseg_cli.media.image import read_image

RED, GRAY = (200, 30, 40), (119, 119, 119)


def pixel(image: Image.Image) -> tuple[int, ...]:
    """The one color of a plain image, checked to be plain."""
    pixels = np.asarray(image).reshape(-1, 3).astype(int)
    assert np.ptp(pixels, axis=0).max() == 0
    return tuple(pixels[0])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "P", "CMYK", "YCbCr", "HSV", "LAB", "PA"])
def test_color_modes_keep_the_color(mode: str) -> None:
    image = Image.new("RGB", (5, 4), RED)
    if mode == "LAB":
        image = Image.new("LAB", (5, 4), (109, 190, 166))  # CIE L 42.7, a 62, b 38 of RED
    elif mode == "PA":
        image = image.quantize(2).convert("PA")
    else:
        image = image.quantize(2) if mode == "P" else image.convert(mode)
    converted = to_rgb(image)
    assert converted.mode == "RGB"
    assert np.allclose(pixel(converted), RED, atol=8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "I;16", "F"])
def test_grey_modes_give_equal_channels(mode: str) -> None:
    value = {"1": 1, "L": 119, "LA": (119, 255), "I": 119, "I;16": 119 * 257, "F": 119.0}[mode]
    expected = (255, 255, 255) if mode == "1" else GRAY
    assert pixel(to_rgb(Image.new(mode, (5, 4), value))) == expected


@pytest.mark.parametrize(
    ("mode", "transparent"), [("RGBA", (9, 9, 9, 0)), ("LA", (9, 0)), ("PA", (9, 0))]
)
def test_transparent_pixels_become_white(mode: str, transparent: tuple[int, ...]) -> None:
    assert pixel(to_rgb(Image.new(mode, (3, 3), transparent))) == (255, 255, 255)


def test_half_transparent_black_becomes_mid_grey() -> None:
    assert pixel(to_rgb(Image.new("RGBA", (3, 3), (0, 0, 0, 128)))) == (127, 127, 127)


def test_transparent_palette_entry_becomes_white(tmp_path) -> None:
    image = Image.new("P", (4, 1), 0)
    image.putpalette([10, 20, 30, 200, 30, 40])
    image.putpixel((3, 0), 1)
    image.save(tmp_path / "palette.png", transparency=0)
    pixels = read_image(tmp_path / "palette.png").pixels[0]
    assert pixels.tolist() == [[255, 255, 255]] * 3 + [list(RED)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 65535), min_size=1, max_size=20))
def test_16_bit_is_scaled_by_65535(values: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.uint16))
    scaled = np.asarray(to_rgb(image))[0, :, 0]
    assert scaled.tolist() == [int(value * 255 / 65535 + 0.5) for value in values]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_files_are_not_clipped(tmp_path, suffix: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).round().astype(np.uint16), (4, 1))
    Image.fromarray(ramp).save(tmp_path / f"ramp.{suffix}")
    pixels = read_image(tmp_path / f"ramp.{suffix}").pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() == 0


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floats_in_a_usual_range_are_scaled_by_it(tmp_path, top: float) -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None] * np.float32(top)
    Image.fromarray(ramp).save(tmp_path / "ramp.tif")
    pixels = read_image(tmp_path / "ramp.tif").pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_values_without_a_usual_range_are_stretched() -> None:
    image = Image.fromarray(np.array([[-500, 0, 500]], np.int32))
    assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 128, 255]


def test_not_a_number_is_drawn_black() -> None:
    image = Image.fromarray(np.array([[np.nan, np.inf, 255.0]], np.float32))
    assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 0, 255]


def test_a_plain_float_image_does_not_divide_by_zero() -> None:
    assert pixel(to_rgb(Image.new("F", (2, 2), -3.0))) == (0, 0, 0)


def test_16_bit_tiff_with_12_bits_uses_its_own_range() -> None:
    image = Image.fromarray(np.array([[0, 2048, 4095]], np.uint16))
    image.tag_v2 = {258: (12,)}
    assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 128, 255]
