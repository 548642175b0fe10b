"""The "boundary" of a class map as detectron2's SemSegEvaluator draws it for its boundary IoU.

Not Boundary IoU as published (Cheng et al. 2021): the erosion runs over class numbers instead of
over one mask per class, so a pixel's value becomes its class less the lowest class nearby.
"""

import math

import numpy as np
from numpy.typing import NDArray

_WIDTH = 0.02  # of the picture's diagonal


def class_boundary(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Class numbers (H, W), at least 0, less the lowest within the boundary's width.

    Outside the picture lies class 0, so along its edge values stay as they are.
    """
    from scipy.ndimage import minimum_filter

    height, width = classes.shape
    reach = max(1, round(_WIDTH * math.sqrt(height**2 + width**2)))
    lowest: NDArray[np.int64] = minimum_filter(classes, 2 * reach + 1, mode="constant", cval=0)
    return classes - lowest
