"""COCO run-length masks: column-major runs, counts as an ASCII string, made by pycocotools.

pycocotools believes what it is given: a damaged string reads beyond its memory, a lying size asks
for all of it. Every mask that a file states therefore goes through ``checked_rle``.
"""

import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic wants it of Python 3.11

# pycocotools's own, at every call: nothing that a user could mend.
warnings.filterwarnings("ignore", "__array__ implementation doesn't", DeprecationWarning)

LARGEST_MASK = 178_956_970  # px, as of an image
_COUNTS = re.compile(r"(?:[P-o]{0,6}+[0-O])++")  # at most 35 bits a number


class RLE(TypedDict):
    """A compressed COCO mask: ``size`` is [H, W]."""

    size: list[int]
    counts: str


def checked_rle(stated: Any, shape: tuple[int, int] | None = None) -> RLE:
    """The mask that a file states, its counts a string or a list of runs; compressed.

    shape: of its image (H, W), None for any within the limits of images. Raises ValueError, whose
    text is a clause, unless every later use of the mask is safe.
    """
    if not isinstance(stated, dict) or not {"size", "counts"} <= stated.keys():
        raise ValueError("a mask is no table of size and counts")
    size, counts = stated["size"], stated["counts"]
    if not (isinstance(size, list) and len(size) == 2 and all(map(_is_side, size))):
        raise ValueError("a mask's size is not two whole numbers of pixels")
    height, width = size
    if shape is not None and (height, width) != shape:
        raise ValueError(
            f"a mask is {width} x {height} px, but its image is {shape[1]} x {shape[0]}"
        )
    if height * width > LARGEST_MASK:
        raise ValueError(f"a mask is {width} x {height} px, more than an image may have")
    runs = _runs_of_text(counts) if isinstance(counts, str) else _runs_of_list(counts)
    if runs.min() < 0 or runs.sum() != height * width:
        raise ValueError(f"a mask's runs do not cover its {width} x {height} px")
    if not isinstance(counts, str) or not runs[1:].all():  # pycocotools stops at an empty run
        values = np.arange(len(runs)) % 2 == 1
        return encode_rle(np.repeat(values, runs).reshape(width, height).T)
    return RLE(size=[height, width], counts=counts)


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value <= LARGEST_MASK


def _runs_of_text(counts: str) -> NDArray[np.int64]:
    """The run lengths of compressed counts: ``rleFrString`` of pycocotools, with checks.

    Five bits a character, the sixth set on all but a number's last; from the fourth run on, the
    difference from the run before the last.
    """
    if not _COUNTS.fullmatch(counts):
        raise ValueError("a mask's counts are no compressed runs")
    codes = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - ord("0")
    ends = np.flatnonzero(codes < 32)
    lengths = np.diff(ends, prepend=-1)
    starts = ends - lengths + 1
    digits = np.arange(len(codes)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((codes & 31) << (5 * digits), starts)
    runs -= (codes[ends] >> 4) << (5 * lengths)  # the sign
    runs[1::2], runs[2::2] = np.cumsum(runs[1::2]), np.cumsum(runs[2::2])
    return runs


def _runs_of_list(counts: Any) -> NDArray[np.int64]:
    if not (isinstance(counts, list) and counts and all(type(n) is int for n in counts)):
        raise ValueError("a mask's counts are neither text nor whole numbers")
    if min(counts) < 0 or max(counts) > LARGEST_MASK:
        raise ValueError("a mask has a run that is below 0 or longer than an image")
    return np.array(counts, np.int64)


def encode_rle(mask: NDArray[np.bool_]) -> RLE:
    """Encode a (H, W) mask."""
    from pycocotools import mask as coco

    rle = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return RLE(size=[int(n) for n in rle["size"]], counts=rle["counts"].decode("ascii"))


def bounds_rle(rle: RLE) -> tuple[int, int, int, int]:
    """The smallest box around a mask: x, y, w, h in px, all 0 for an empty one."""
    from pycocotools import mask as coco

    coded = {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
    x, y, width, height = coco.toBbox(coded)
    return int(x), int(y), int(width), int(height)


def decode_rle(rle: RLE) -> NDArray[np.bool_]:
    """Decode to a (H, W) bool mask; of a file's mask only after ``checked_rle``."""
    from pycocotools import mask as coco

    mask: NDArray[np.bool_] = coco.decode(
        {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
    ).astype(bool)
    return mask
