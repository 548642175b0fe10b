"""Read one image file as a Frame, or say in one sentence why it cannot be read.

Whatever bytes a file holds, only a Frame or an InputError comes out: a run over a million files
must survive every one of them.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vlseg_cli.media.color import to_rgb
from vlseg_cli.media.formats import DECODERS
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits, check_file, check_size
from vlseg_cli.schema import Frame, InputError

# Damaged metadata is not worth a line on the user's screen: the pixels are what counts.
warnings.filterwarnings("ignore", module=r"PIL\.")

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}


def read_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> Frame:
    """Read the first picture of a file, upright, as RGB on white.

    Raises InputError if the file is missing, no regular file, no image, damaged or over a limit.
    """
    return _frame(open_image(path, limits), path)


def decode_image(data: bytes, source: str, limits: Limits = DEFAULT_LIMITS) -> Frame:
    """The first picture of a file that is in memory; source: what to call it. As ``read_image``."""
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
        if _turn(image) in _SWAPS_SIDES:
            width, height = height, width
        return (image.format or "").lower(), width, height


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded image as its EXIF orientation says."""
    method = _turn(image)
    return image if method is None else image.transpose(method)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What its EXIF orientation asks for; a damaged EXIF block asks for nothing."""
    try:
        return _UPRIGHT.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return None


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[Image.Image]:
    """A file's picture, not yet decoded; whatever goes wrong with it becomes an InputError."""
    check_file(path, limits.file_bytes)
    try:
        file = path.open("rb")
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
        return Frame(np.array(to_rgb(upright(image))), source=str(path))
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path} is not an image in a format that vlseg reads.")
    if isinstance(error, PermissionError):
        return InputError(f"{path} cannot be opened: permission denied.")
    if isinstance(error, Image.DecompressionBombError):
        return InputError(f"{path} has too many pixels to be opened safely: shrink or tile it.")
    return InputError(f"{path} is damaged or cut off and cannot be decoded: copy it again.")


def read_mask(
    path: Path, height: int, width: int, limits: Limits = DEFAULT_LIMITS
) -> NDArray[np.bool_]:
    """Read a mask (H, W) bool for a picture of this size.

    Palette files mark every index but 0; others every pixel brighter than half their maximum, so
    that 0/1, 0/255 and softly edged masks all mean what they show. Raises InputError if the file
    is no image or has another size.
    """
    image = upright(open_image(path, limits))
    if image.size != (width, height):
        raise InputError(
            f"The mask {path} is {image.width} x {image.height} px but the picture is"
            f" {width} x {height}: give a mask of the picture's size."
        )
    if image.mode == "P":
        return np.asarray(image) > 0
    wide = image.mode[0] in "IF"
    values = np.asarray(image if wide else image.convert("L"), np.float32)
    marked: NDArray[np.bool_] = (values > 0) & (values > values.max() / 2)
    return marked
