"""Read one image file as a Frame, or say in one sentence why it cannot be read.

Whatever bytes a file holds, only a Frame or an InputError comes out: a run over a million files
must survive every one of them.
"""

import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from vlseg_cli.media.colour import to_rgb
from vlseg_cli.media.formats import DECODERS
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


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too big to open: pixels and side in px, size of the file in bytes.

    The default pixels are where Pillow itself refuses a picture as a decompression bomb.
    """

    pixels: int = 178_956_970
    side: int = 32_768
    file_bytes: int = 1 << 30


DEFAULT_LIMITS = Limits()


def read_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> Frame:
    """Read the first picture of a file, upright, as RGB on white.

    Raises InputError if the file is missing, no regular file, no image, damaged or over a limit.
    """
    image = upright(open_image(path, limits))
    try:
        return Frame(np.array(to_rgb(image)), source=str(path))
    except Exception as error:
        raise _unreadable(path, error) from error


def open_image(path: Path, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Open and decode a file in its own mode and stored orientation; raises as ``read_image``."""
    _check_file(path, limits)
    try:
        with path.open("rb") as file, Image.open(file, formats=DECODERS) as image:
            _check_size(path, image, limits)
            image.load()
            return image
    except InputError:
        raise
    except Exception as error:  # decoders raise some fifteen kinds on damaged bytes
        raise _unreadable(path, error) from error


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded image as its EXIF orientation says; a damaged EXIF block says nothing."""
    try:
        method = _UPRIGHT.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return image
    return image if method is None else image.transpose(method)


def _check_file(path: Path, limits: Limits) -> None:
    """Refuse what is no regular file before opening it: a pipe or a device would block or flood."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: is the path right?") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a regular file, so it is not opened as an image.")
    if status.st_size == 0:
        raise InputError(f"{path} is empty (0 bytes).")
    if status.st_size > limits.file_bytes:
        raise InputError(
            f"{path} has {status.st_size / 1e6:,.0f} MB, over the limit of"
            f" {limits.file_bytes / 1e6:,.0f} MB: shrink it first."
        )


def _check_size(path: Path, image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise InputError(f"{path} has no pixels ({width} x {height}).")
    if max(width, height) > limits.side or width * height > limits.pixels:
        raise InputError(
            f"{path} is {width} x {height} px, over the limit of {limits.pixels / 1e6:.0f} million"
            f" pixels and {limits.side} px a side: shrink or tile it first."
        )


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path} is not an image in a format that vlseg reads.")
    if isinstance(error, PermissionError):
        return InputError(f"{path} cannot be opened: permission denied.")
    if isinstance(error, Image.DecompressionBombError):
        return InputError(f"{path} has too many pixels to be opened safely: shrink or tile it.")
    return InputError(f"{path} is damaged or cut off and cannot be decoded: copy it again.")
