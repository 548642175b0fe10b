"""COCO run-length masks: column-major runs, counts as an ASCII string, made by pycocotools."""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic wants it of Python 3.11


class RLE(TypedDict):
    """A compressed COCO mask: ``size`` is [H, W]."""

    size: list[int]
    counts: str


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
    """Decode to a (H, W) bool mask."""
    from pycocotools import mask as coco

    mask: NDArray[np.bool_] = coco.decode(
        {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
    ).astype(bool)
    return mask
