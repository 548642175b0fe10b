"""Every image file gives an upright RGB frame or an error; color modes are converted."""

import io
import os
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vlseg_cli.media.image import decode_image, read_image, read_mask, to_rgb
from vlseg_cli.media.limits import Limits
from vlseg_cli.schema import Frame, InputError

# A letter F: no rotation or mirroring maps it to itself.
SHAPE = np.zeros((48, 32), np.uint8)
SHAPE[8:40, 8:14] = SHAPE[8:14, 8:26] = SHAPE[20:26, 8:20] = 255
STORED = {  # EXIF orientation -> how an upright image is stored under it
    1: SHAPE,
    2: SHAPE[:, ::-1],
    3: SHAPE[::-1, ::-1],
    4: SHAPE[::-1],
    5: SHAPE.T,
    6: np.rot90(SHAPE, 1),
    7: SHAPE[::-1, ::-1].T,
    8: np.rot90(SHAPE, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_applied_once(tmp_path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(path, exif=exif)
    frame = read_image(path)
    assert (frame.height, frame.width) == SHAPE.shape
    assert np.array_equal(frame.pixels[..., 0] > 127, SHAPE > 127)


def test_damaged_exif_is_ignored(tmp_path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(SHAPE).save(path, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff garbage")
    assert read_image(path).pixels.shape == (48, 32, 3)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_frame_of_an_animation_is_read(tmp_path, suffix: str) -> None:
    first, second = Image.new("RGB", (9, 7), "red"), Image.new("RGB", (9, 7), "blue")
    path = tmp_path / f"moving.{suffix}"
    first.save(path, save_all=True, append_images=[second], lossless=True)
    assert read_image(path).pixels[3, 4].tolist() == [255, 0, 0]


def test_the_frame_names_its_source(tmp_path) -> None:
    Image.new("RGB", (5, 3)).save(tmp_path / "small.png")
    frame = read_image(tmp_path / "small.png")
    assert frame.source == str(tmp_path / "small.png")
    assert (frame.index, frame.time, frame.pixels.dtype) == (0, None, np.uint8)
    assert frame.pixels.flags.writeable


def test_bytes_are_decoded_like_a_file(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    Image.fromarray(SHAPE).save(path, exif=exif)
    frame = decode_image(path.read_bytes(), "row 7")
    assert (frame.pixels == read_image(path).pixels).all() and frame.source == "row 7"
    with pytest.raises(InputError, match="row 7 is not an image"):
        decode_image(b"no picture", "row 7")


def test_the_content_decides_the_format(tmp_path) -> None:
    Image.new("RGB", (5, 3)).save(tmp_path / "photo.jpg", format="PNG")
    assert read_image(tmp_path / "photo.jpg").width == 5


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(pixels=99), "million pixels"),
        (Limits(side=9), "9 px a side"),
        (Limits(file_bytes=20), "MB"),
    ],
)
def test_limits_are_named_in_the_error(tmp_path, limits: Limits, word: str) -> None:
    Image.new("RGB", (10, 10)).save(tmp_path / "big.png")
    with pytest.raises(InputError, match=word):
        read_image(tmp_path / "big.png", limits)


def test_a_decompression_bomb_is_rejected_by_its_header(tmp_path) -> None:
    small = io.BytesIO()
    Image.new("L", (1, 1)).save(small, "BMP")
    header = bytearray(small.getvalue())
    header[18:26] = (60_000).to_bytes(4, "little") * 2
    (tmp_path / "bomb.bmp").write_bytes(header)
    with pytest.raises(InputError, match="pixels"):
        read_image(tmp_path / "bomb.bmp")


def test_default_limits_admit_178_million_pixels() -> None:
    assert Limits().pixels >= 178_000_000
    assert Limits().side >= 32_000
    assert Limits().file_bytes >= 1_000_000_000


def test_a_file_that_is_no_image_is_a_one_line_error(tmp_path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    for name in ["text.png", "empty.png", "pipe.png", "lost.png", "missing.png", "."]:
        with pytest.raises(InputError) as caught:
            read_image(tmp_path / name)
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_postscript_with_an_image_extension_is_not_opened(tmp_path) -> None:
    (tmp_path / "page.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    )
    with pytest.raises(InputError, match="not an image in a format"):
        read_image(tmp_path / "page.png")


WRITABLE = [
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "GIF",
    "BMP",
    "PPM",
    "JPEG2000",
    "ICO",
    "SGI",
    "PCX",
    "TGA",
]


def seeds_of_all_formats() -> list[bytes]:
    """One small valid file of every format that Pillow can write and vlseg reads."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 31, 3), np.uint8))
    files = []
    for name in WRITABLE:
        buffer = io.BytesIO()
        image.save(buffer, name)
        files.append(buffer.getvalue())
    buffer = io.BytesIO()
    Image.new("P", (20, 20)).save(buffer, "TIFF", compression="tiff_lzw")
    return [*files, buffer.getvalue()]


def test_mutated_and_truncated_files_give_a_frame_or_an_input_error(tmp_path) -> None:
    rng, seeds, path = random.Random(7), seeds_of_all_formats(), tmp_path / "mutant"
    frames = refused = 0
    for turn in range(300):
        data = bytearray(rng.choice(seeds))
        if turn % 3 == 0:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.choice([0, 1, 3, 20])):
            if data:
                data[rng.randrange(min(len(data), rng.choice([40, 10_000])))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            frame = read_image(path, Limits(pixels=5_000_000))
        except InputError:
            refused += 1
        else:
            assert isinstance(frame, Frame)
            frames += 1
    assert min(frames, refused) > 50


MASK = np.zeros((6, 8), bool)
MASK[2:5, 1:4] = True


@pytest.mark.parametrize("mode", ["1", "L", "L01", "P", "RGB", "I;16", "RGBA"])
def test_mask_pixels_are_read_in_every_mode(tmp_path, mode: str) -> None:
    image = Image.fromarray(MASK.astype(np.uint8) * (1 if mode in ("L01", "P") else 255))
    if mode == "P":
        image = Image.fromarray(np.asarray(image) * np.uint8(2))
        image.putpalette([0, 0, 0, 0, 0, 0, 1, 1, 1])
    elif mode == "I;16":
        image = Image.fromarray(MASK.astype(np.uint16) * 60_000)
    elif mode != "L01":
        image = image.convert(mode)
    image.save(tmp_path / "mask.png")
    assert np.array_equal(read_mask(tmp_path / "mask.png", 6, 8), MASK)


def test_an_empty_mask_is_read_as_empty(tmp_path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png", 6, 8).any()


def test_a_size_mismatch_error_names_both_sizes(tmp_path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"8 x 6 px but the image is 9 x 6"):
        read_mask(tmp_path / "mask.png", 6, 9)


RED, GRAY = (200, 30, 40), (119, 119, 119)


def pixel(pixels: np.ndarray) -> tuple[int, ...]:
    """The one color of a plain image, checked to be plain."""
    pixels = pixels.reshape(-1, 3).astype(int)
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
    assert (converted.shape, converted.dtype) == ((4, 5, 3), np.uint8)
    assert np.allclose(pixel(converted), RED, atol=8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "I;16", "F"])
def test_gray_modes_give_equal_channels(mode: str) -> None:
    value = {"1": 1, "L": 119, "LA": (119, 255), "I": 119, "I;16": 119 * 257, "F": 119.0}[mode]
    expected = (255, 255, 255) if mode == "1" else GRAY
    assert pixel(to_rgb(Image.new(mode, (5, 4), value))) == expected


@pytest.mark.parametrize(
    ("mode", "transparent"), [("RGBA", (9, 9, 9, 0)), ("LA", (9, 0)), ("PA", (9, 0))]
)
def test_transparent_pixels_become_white(mode: str, transparent: tuple[int, ...]) -> None:
    assert pixel(to_rgb(Image.new(mode, (3, 3), transparent))) == (255, 255, 255)


def test_half_transparent_black_becomes_middle_gray() -> None:
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
    scaled = to_rgb(image)[0, :, 0]
    assert scaled.tolist() == [int(value * 255 / 65535 + 0.5) for value in values]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_files_are_not_clipped(tmp_path, suffix: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).round().astype(np.uint16), (4, 1))
    Image.fromarray(ramp).save(tmp_path / f"ramp.{suffix}")
    pixels = read_image(tmp_path / f"ramp.{suffix}").pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() == 0


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floats_in_a_known_range_are_scaled_by_it(tmp_path, top: float) -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None] * np.float32(top)
    Image.fromarray(ramp).save(tmp_path / "ramp.tif")
    pixels = read_image(tmp_path / "ramp.tif").pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_floats_outside_the_known_ranges_are_stretched() -> None:
    image = Image.fromarray(np.array([[-500, 0, 500]], np.int32))
    assert to_rgb(image)[0, :, 0].tolist() == [0, 128, 255]


def test_nan_becomes_black() -> None:
    image = Image.fromarray(np.array([[np.nan, np.inf, 255.0]], np.float32))
    assert to_rgb(image)[0, :, 0].tolist() == [0, 0, 255]


def test_a_constant_float_image_does_not_divide_by_zero() -> None:
    assert pixel(to_rgb(Image.new("F", (2, 2), -3.0))) == (0, 0, 0)


def test_16_bit_tiff_with_12_bits_uses_its_own_range() -> None:
    image = Image.fromarray(np.array([[0, 2048, 4095]], np.uint16))
    image.tag_v2 = {258: (12,)}
    assert to_rgb(image)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("mode", ["L", "I;16", "F", "LA", "P", "LAB"])
def test_bands_do_not_show(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the range of floats is that of the whole image, not of a band."""
    ramp = np.arange(35 * 40, dtype=np.float32).reshape(35, 40) * 300
    if mode == "F":
        image = Image.fromarray(ramp)
    elif mode == "I;16":
        image = Image.fromarray((ramp % 65536).astype(np.uint16))
    else:
        image = Image.fromarray((ramp % 251).astype(np.uint8))
        image = image.convert(mode) if mode in ("LA", "P") else image
    if mode == "LAB":
        image = Image.merge("LAB", [image] * 3)
    whole = to_rgb(image)
    monkeypatch.setattr("vlseg_cli.media.image._BAND_PIXELS", 40 * 3)
    assert (to_rgb(image) == whole).all()
