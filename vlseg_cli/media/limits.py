"""Limits on files and pixels, checked for every input before any of it is decoded."""

import stat
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.schema import InputError


@dataclass(frozen=True, slots=True)
class Limits:
    """Pixels and side in px of an image or frame, size in bytes of an image and of a video file.

    The default number of pixels is Pillow's own limit against decompression bombs. A video is
    streamed, so its file may be far larger than an image's. memory_bytes: what the decoder process
    may allocate; images of the most pixels take a third of the default.
    """

    pixels: int = 178_956_970
    side: int = 32_768
    file_bytes: int = 1 << 30
    video_bytes: int = 1 << 40
    memory_bytes: int = 1 << 32


DEFAULT_LIMITS = Limits()


def check_file(path: Path, largest: int) -> None:
    """Raise InputError unless the path is a regular file of 1 to ``largest`` bytes.

    Other kinds of files are refused before they are opened: a pipe would block, a device not end.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: is the path right?") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a regular file, so it is not opened.")
    if status.st_size == 0:
        raise InputError(f"{path} is empty (0 bytes).")
    if status.st_size > largest:
        raise InputError(
            f"{path} has {status.st_size / 1e6:,.0f} MB, over the limit of {largest / 1e6:,.0f} MB:"
            " shrink it first."
        )


def check_size(path: Path, width: int, height: int, limits: Limits) -> None:
    """Raise InputError for an image without pixels or over the limits."""
    if width < 1 or height < 1:
        raise InputError(f"{path} has no pixels ({width} x {height}).")
    if max(width, height) > limits.side or width * height > limits.pixels:
        raise InputError(
            f"{path} is {width} x {height} px, over the limit of {limits.pixels / 1e6:.0f} million"
            f" pixels and {limits.side} px a side: shrink or tile it first."
        )
