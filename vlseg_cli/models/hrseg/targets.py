"""What auxiliary losses ask besides the paper's: the name under each token, and a sentence's names.

Both come from the categories that a sample asks about; a sample that asks about none teaches none.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.hrseg.postprocessing import nearest
from vlseg_cli.schema import Categories, Query, Sample

_SLIVER = 0.2  # of an answer: a name with less of it is not what was meant


def cell_names(sample: Sample, names: Sequence[str], cells: int) -> Tensor:
    """(cells, cells) int64: index into ``names`` at the center of each cell of the picture's
    square, -1 where unknown or beside the picture."""
    found = np.full((cells, cells), -1)
    height, width = sample.frame.height, sample.frame.width
    centers = ((np.arange(cells) + 0.5) * max(height, width) / cells).astype(int)
    rows, columns = centers[centers < height], centers[centers < width]
    inside = found[: len(rows), : len(columns)]
    index = {name: place for place, name in enumerate(names)}
    for query in _categories(sample):
        assert isinstance(query.prompt, Categories)
        for mask, label in zip(query.masks, query.labels, strict=True):
            if (name := query.prompt.names[label]) in index:
                inside[mask[rows[:, None], columns]] = index[name]
    return torch.from_numpy(found)


def meant_shares(sample: Sample, query: Query, names: Sequence[str]) -> Tensor:
    """(names,): which names a query's answer belongs to; zeros where that is unknown."""
    area = torch.zeros(len(names))
    answer = query.masks.any(0)
    index = {name: place for place, name in enumerate(names)}
    for named in _categories(sample):
        assert isinstance(named.prompt, Categories)
        for mask, label in zip(named.masks, named.labels, strict=True):
            if (name := named.prompt.names[label]) in index:
                area[index[name]] += float((mask & answer).sum())
    area[area < _SLIVER * area.sum()] = 0
    return area / area.sum().clamp(min=1)


def _categories(sample: Sample) -> list[Query]:
    return [query for query in sample.queries if isinstance(query.prompt, Categories)]


class ProposalTargets(NamedTuple):
    """iou and iop of each text and proposal, (R, K) float64 in [0, 1]."""

    iou: NDArray[np.float64]
    iop: NDArray[np.float64]


def targets_of(truth: NDArray[np.bool_], proposals: NDArray[np.bool_]) -> ProposalTargets:
    """truth (R, H, W): what each text means; proposals (K, h, w), none of them empty."""
    height, width = proposals.shape[1:]
    wanted = (
        nearest(truth, height, width, centered=True)
        .reshape(len(truth), height * width)
        .astype(np.float64)
    )
    offered = proposals.reshape(len(proposals), height * width).astype(np.float64)
    shared = wanted @ offered.T
    sizes = offered.sum(1)
    union = wanted.sum(1)[:, None] + sizes - shared
    return ProposalTargets(shared / union, shared / sizes)
