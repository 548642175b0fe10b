"""Decodes one image file to an upright RGB frame: EXIF orientation, color modes, alpha on white.

Any bytes give a Frame or an InputError: a run over a million files must survive each of them.
Pillow's ``convert`` clips 16-bit and float pixels to 255 and drops alpha; here both are handled.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from vlseg_cli.media.formats import DECODERS
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits, check_file, check_size
from vlseg_cli.schema import Frame, InputError
from vlseg_cli.schema.files import open_regular

_TIFF_BITS_PER_SAMPLE = 258
_BAND_PIXELS = 1 << 22  # converted at a time


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of any mode: wide pixels scaled to 8 bits, alpha composited on white.

    Band by band, as converting the whole image at once would take several copies of it.
    """
    limits = _range(image) if image.mode in ("I", "F") else (0.0, 0.0)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, band in _bands(image):
        pixels[top : top + band.height] = np.asarray(_band_to_rgb(band, image, *limits))
    return pixels


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The first row and the pixels of each band."""
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _band_to_rgb(band: Image.Image, image: Image.Image, low: float, high: float) -> Image.Image:
    if band.mode.startswith("I;16"):
        return _from_16_bit(band, image).convert("RGB")
    if band.mode in ("I", "F"):
        scaled = (_finite(band) - low) * (255.0 / (high - low)) + 0.5
        return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8)).convert("RGB")
    if band.mode == "LAB":
        return _from_lab(band)
    if band.has_transparency_data:
        return _on_white(band.convert("RGBA"))
    return band.convert("RGB")


def _from_16_bit(band: Image.Image, image: Image.Image) -> Image.Image:
    """Scale by the range the file declares: 16 bits, or fewer where a TIFF packs 10 or 12."""
    bits = max(getattr(image, "tag_v2", {}).get(_TIFF_BITS_PER_SAMPLE, (16,)))
    top = (1 << bits) - 1
    table = np.minimum(np.arange(1 << 16) * 255.0 / top + 0.5, 255).astype(np.uint8)
    return Image.fromarray(table[np.asarray(band)])


def _finite(band: Image.Image) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(band, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _range(image: Image.Image) -> tuple[float, float]:
    """The values of black and white of 32-bit integers and floats, whose range no header states.

    The smallest usual range that fits all values, else their own range.
    """
    low, high = float("inf"), float("-inf")
    for _, band in _bands(image):
        values = _finite(band)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    for top in usual:
        if low >= 0 and high <= top:
            return 0.0, top
    return low, high if high > low else low + 1.0


def _from_lab(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    rgb = ImageCms.applyTransform(image, transform)
    assert rgb is not None  # None only when told to work in place
    return rgb


def _on_white(image: Image.Image) -> Image.Image:
    background = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(background, image).convert("RGB")


# Damaged metadata is no reason for a warning if the pixels can be decoded.
warnings.filterwarnings("ignore", module=r"PIL\.")

_EXIF_ORIENTATION = 0x0112
_EXIF_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = {_EXIF_TRANSPOSES[orientation] for orientation in (5, 6, 7, 8)}


def read_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> Frame:
    """Read the first image of a file, upright, as RGB on white.

    Raises InputError if the file is missing, no regular file, no image, damaged or over a limit.
    """
    return _frame(open_image(path, limits), path)


def decode_image(data: bytes, source: str, limits: Limits = DEFAULT_LIMITS) -> Frame:
    """``read_image`` for a file in memory; source: its name in messages."""
    path = Path(source)
    with _decoded(path, io.BytesIO(data), limits) as image:
        image.load()
        return _frame(image, path)


def open_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Open and decode a file in its own mode and stored orientation; raises as ``read_image``."""
    with _opened(path, limits) as image:
        image.load()
        return image


def probe_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[str, int, int]:
    """Format, width and height as displayed, from the header alone; raises as ``read_image``."""
    with _opened(path, limits) as image:
        width, height = image.size
        if _exif_transpose(image) in _SWAPS_SIDES:
            width, height = height, width
        return (image.format or "").lower(), width, height


def apply_exif_orientation(image: Image.Image) -> Image.Image:
    """Transpose a decoded image according to its EXIF orientation."""
    method = _exif_transpose(image)
    return image if method is None else image.transpose(method)


def _exif_transpose(image: Image.Image) -> Image.Transpose | None:
    """The transpose of its EXIF orientation; None for the identity or a damaged EXIF block."""
    try:
        return _EXIF_TRANSPOSES.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return None


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[Image.Image]:
    """A file's image, not yet decoded; every error becomes an InputError."""
    check_file(path, limits.file_bytes)
    try:
        file = open_regular(path, limits.file_bytes)
    except OSError as error:
        raise _unreadable(path, error) from error
    with file, _decoded(path, file, limits) as image:
        yield image


@contextmanager
def _decoded(path: Path, file: BinaryIO, limits: Limits) -> Iterator[Image.Image]:
    try:
        with Image.open(file, formats=DECODERS) as image:
            check_size(path, *image.size, limits)
            yield image
    except InputError:
        raise
    except Exception as error:  # decoders raise some fifteen kinds on damaged bytes
        raise _unreadable(path, error) from error


def _frame(image: Image.Image, path: Path) -> Frame:
    try:
        image = apply_exif_orientation(image)  # the image as it was stored is freed
        return Frame(to_rgb(image), source=str(path))
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path} is not an image in a format that vlseg reads.")
    if isinstance(error, PermissionError):
        return InputError(f"{path} cannot be opened: permission denied.")
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return InputError(f"{path} does not fit into memory: shrink it first.")
    if isinstance(error, Image.DecompressionBombError):
        return InputError(f"{path} has too many pixels to be opened safely: shrink or tile it.")
    return InputError(f"{path} is damaged or cut off and cannot be decoded: copy it again.")


def read_mask(
    path: Path, height: int, width: int, limits: Limits = DEFAULT_LIMITS
) -> NDArray[np.bool_]:
    """Read a mask (H, W) bool for an image of this size.

    Palette files mark every index but 0; others every pixel above half their maximum, so that 0/1,
    0/255 and anti-aliased masks all work. Raises InputError if the file is no image or has another
    size.
    """
    image = apply_exif_orientation(open_image(path, limits))
    if image.size != (width, height):
        raise InputError(
            f"The mask {path} is {image.width} x {image.height} px but the image is"
            f" {width} x {height}: give a mask of the image's size."
        )
    peaks = [np.fmax.reduce(_levels(band), axis=None) for _, band in _bands(image)]
    least = 0.0 if image.mode == "P" else max(0.0, float(np.fmax.reduce(peaks)) / 2)
    marked = np.empty((height, width), bool)
    for top, band in _bands(image):
        marked[top : top + band.height] = _levels(band) > least
    return marked


def _levels(band: Image.Image) -> NDArray[Any]:
    """Palette indices, values of 16 bits and more, or gray."""
    return np.asarray(band if band.mode == "P" or band.mode[0] in "IF" else band.convert("L"))
