"""How good each proposal would have been: the truth that HRSeg's two scores learn.

Source: LLM-Seg ``utils/*_dataset.py``: IoU and intersection over the proposal (IoP), on the
proposals' own grid.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.models.answers.nearest import nearest


class Targets(NamedTuple):
    """iou and iop of each text and proposal, (R, K) float64 in [0, 1]."""

    iou: NDArray[np.float64]
    iop: NDArray[np.float64]


def targets_of(truth: NDArray[np.bool_], proposals: NDArray[np.bool_]) -> Targets:
    """truth (R, H, W): what each text means; proposals (K, h, w), none of them empty."""
    height, width = proposals.shape[1:]
    wanted = (
        nearest(truth, height, width, centred=True)
        .reshape(len(truth), height * width)
        .astype(np.float64)
    )
    offered = proposals.reshape(len(proposals), height * width).astype(np.float64)
    shared = wanted @ offered.T
    sizes = offered.sum(1)
    union = wanted.sum(1)[:, None] + sizes - shared
    return Targets(shared / union, shared / sizes)
