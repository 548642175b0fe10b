"""Which files are images and which are videos, and the image decoders that may open them.

The decoders are a closed list: Pillow also has formats that start other programs (EPS) or read
scientific containers, which an input file must not be able to choose.
"""

import os
import re
from pathlib import Path

# fmt: off
# Tried in this order; the frequent ones come first because Pillow imports decoders as it goes.
DECODERS: tuple[str, ...] = (
    "PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "AVIF", "JPEG2000", "ICO", "ICNS",
    "PSD", "DDS", "QOI", "SGI", "PCX", "TGA"
)

IMAGE_EXTENSIONS: frozenset[str] = frozenset((
    ".apng", ".avif", ".bmp", ".dds", ".dib", ".gif", ".icns", ".ico", ".j2c", ".j2k", ".jfif",
    ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx", ".pbm", ".pcx", ".pfm", ".pgm", ".png", ".pnm",
    ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif", ".tiff", ".webp"
))

VIDEO_EXTENSIONS: frozenset[str] = frozenset((
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"
))
# fmt: on

# The first bytes of videos without a known extension: MP4 and QuickTime (but not images in the
# same container), Matroska, AVI, MPEG, Flash, Windows Media, Ogg, MXF, transport streams.
_VIDEO_STARTS = re.compile(
    rb"....ftyp(?!avif|avis|mif1|msf1|heic|heix|hevc|hevx)|....(?:moov|mdat|wide|free|skip)"
    rb"|\x1a\x45\xdf\xa3|RIFF....AVI |\x00\x00\x01[\xb3\xba]|FLV|\x30\x26\xb2\x75\x8e\x66\xcf\x11"
    rb"|OggS|\x06\x0e\x2b\x34|(?:....)?G.{187}(?:....)?G",
    re.DOTALL,
)


def is_video(path: Path) -> bool:
    """Whether a file is a video: by its extension, or by its first bytes if that is unknown.

    Of animated images only a GIF with several frames is a video.
    """
    suffix = path.suffix.lower()
    if suffix in VIDEO_EXTENSIONS:
        return True
    if not os.path.isfile(path):  # noqa: PTH113  # says no to impossible names, where Path raises
        return False  # a pipe would block; reading it as an image reports what it is
    if suffix in IMAGE_EXTENSIONS:
        return suffix == ".gif" and _moves(path)
    try:
        with path.open("rb") as file:
            start = file.read(400)
    except (OSError, ValueError):
        return False
    return bool(_VIDEO_STARTS.match(start)) or (start.startswith(b"GIF8") and _moves(path))


def _moves(path: Path) -> bool:
    """Whether a GIF has a second frame."""
    from PIL import Image

    try:
        with path.open("rb") as file, Image.open(file, formats=("GIF",)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # decoders raise some fifteen kinds on damaged bytes
        return False
