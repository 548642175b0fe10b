"""Read a mask file that a user gives as a prompt: marked pixels against the rest."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.image import open_image, upright
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits
from vlseg_cli.schema import InputError


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
