"""SAM's mask candidates: stability filter, non-maximum suppression, boxes and coordinates."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.models.proposals.filters import (
    enlarge_logits,
    filter_iou,
    filter_stability,
    nms,
    point_grid,
    tight_boxes,
    to_input,
)

SEEDS = st.integers(0, 10_000)


def test_points_are_cell_centers() -> None:
    grid = point_grid(2)
    assert grid.tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    assert to_input(torch.tensor([[8.0, 4.0]]), (8, 16), (512, 1024)).tolist() == [[512, 256]]


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_boxes_are_tight(seed: int) -> None:
    masks = np.random.default_rng(seed).random((3, 5, 7)) < 0.1
    for mask, box in zip(masks, tight_boxes(torch.from_numpy(masks)).tolist(), strict=True):
        rows, columns = np.nonzero(mask)
        expected = [columns.min(), rows.min(), columns.max(), rows.max()] if len(rows) else [0] * 4
        assert box == expected


def overlap(a: Tensor, b: Tensor) -> float:
    low, high = torch.maximum(a[:2], b[:2]), torch.minimum(a[2:], b[2:])
    shared = float((high - low).clamp(min=0).prod())
    area = [float((box[2:] - box[:2]).prod()) for box in (a, b)]
    return shared / (sum(area) - shared) if sum(area) > shared else 0.0


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 12))
def test_nms_drops_exactly_the_boxes_that_overlap_a_better_one(seed: int, count: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.randint(0, 6, (count, 2), generator=generator)
    boxes = torch.cat([corner, corner + torch.randint(0, 6, (count, 2), generator=generator)], 1)
    scores = torch.rand(count, generator=generator)
    kept = nms(boxes, scores).tolist()
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
    for index in range(count):
        better = [k for k in kept if scores[k] > scores[index]]
        suppressed = any(overlap(boxes[index].float(), boxes[k].float()) > 0.7 for k in better)
        assert suppressed is (index not in kept)


def test_only_sharp_edges_are_stable() -> None:
    sharp = torch.full((10, 10), -5.0)
    sharp[2:8, 2:8] = 5
    soft = torch.linspace(-2, 2, 100).view(10, 10)
    found = filter_stability(
        torch.stack([soft, sharp]), torch.tensor([0.9, 0.95]), torch.zeros(2, 2)
    )
    assert found.masks.equal((sharp > 0)[None]) and found.stability.tolist() == [1]
    assert found.iou.tolist() == [torch.tensor(0.95).item()]
    assert filter_iou(torch.tensor([0.88, 0.89])).tolist() == [False, True]


def test_padding_is_cropped() -> None:
    logits = torch.full((1, 4, 4), -1.0)
    logits[:, :2] = 1  # the image is the upper half
    assert (enlarge_logits(logits, 16, (8, 16), (20, 40))[:, :14] > 0).all()
    assert enlarge_logits(logits[:0], 16, (8, 16), (20, 40)).shape == (0, 20, 40)
