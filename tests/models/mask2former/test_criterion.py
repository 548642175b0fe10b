"""Each decoder level is matched by itself; losses follow the formulas, whatever the batch lacks."""

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.models.mask2former.criterion import (
    MatchedLevel,
    averaged_counts,
    category_losses,
    condition_losses,
)
from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.nn.losses import DenseSampling, PointSampling

CELLS = 8
DENSE = DenseSampling(4)


def stripes(count: int) -> Tensor:
    """(count, 32, 32) masks that do not overlap: object k owns cell rows 2k and 2k + 1."""
    masks = torch.zeros(count, 32, 32, dtype=torch.bool)
    for index, mask in enumerate(masks):
        mask[8 * index : 8 * index + 8] = True
    return masks


def mask_output(scores: Sequence[Tensor], owners: Sequence[Sequence[int]]) -> MaskOutput:
    """Queries with confident masks of their stripe (-1: none); the same at every level but
    for ``scores`` (P, N, K)."""
    rows = [
        [(2.0 if owner >= 0 else 0.0) * _painted(owner) - 1.0 for owner in row] for row in owners
    ]
    pred_masks = torch.stack([torch.stack(row) for row in rows]).requires_grad_()
    hidden = torch.zeros(len(owners), len(owners[0]), 4)
    levels = len(scores)
    return MaskOutput(tuple(scores), (pred_masks,) * levels, (hidden,) * levels, hidden)


def _painted(owner: int) -> Tensor:
    cells = torch.zeros(CELLS, CELLS)
    if owner >= 0:
        cells[2 * owner : 2 * owner + 2] = 1.0
    return cells


def bce(logit: float, truth: float) -> float:
    return math.log1p(math.exp(-logit)) * truth + math.log1p(math.exp(logit)) * (1 - truth)


def good_mask_losses(matched: int, count: int) -> dict[str, float]:
    """Of queries that say 1 in their object's 16 cells and -1 in the 48 others."""
    p, q = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))
    each = 1 - (2 * 16 * p + 1) / (16 * p + 48 * q + 16 + 1)
    return {"mask": matched * bce(1.0, 1.0) / count, "dice": matched * each / count}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_categories(seed: int) -> None:
    """Two images: three names and background, one name and background; two levels."""
    draw = torch.Generator().manual_seed(seed)
    scores = []
    for _ in range(2):
        level = torch.randn(2, 4, 4, generator=draw)
        level[1, :, 2:] = float("-inf")
        scores.append(level.requires_grad_())
    answer = mask_output(scores, [[1, -1, 0, 2], [-1, 0, -1, -1]])
    labels = [torch.tensor([2, 0, 0]), torch.tensor([0])]
    levels = category_losses(answer, [stripes(3), stripes(1)], labels, DENSE)
    targets = [[0, 3, 2, 0], [1, 0, 1, 1]]
    for found, level in zip(levels, scores, strict=True):
        total = weights = 0.0
        for row, target, void in zip(level, targets, (3, 1), strict=True):
            for logits, label in zip(row.tolist(), target, strict=True):
                weight = 0.1 if label == void else 1.0
                total += weight * (math.log(sum(map(math.exp, logits))) - logits[label])
                weights += weight
        wanted = {"category": total / weights, **good_mask_losses(4, 4)}
        assert {k: v.item() for k, v in found.items()} == pytest.approx(wanted, rel=1e-4)
    torch.stack([v for level in levels for v in level.values()]).sum().backward()
    assert all(level.grad is not None and level.grad.isfinite().all() for level in scores)


def test_each_level_is_matched_by_itself() -> None:
    """Masks decide, level by level: a swapped level is matched the other way."""
    scores = torch.zeros(1, 2, 3)
    straight, crossed = mask_output([scores], [[0, 1]]), mask_output([scores], [[1, 0]])
    answer = MaskOutput(
        (scores, scores),
        (straight.pred_masks[0], crossed.pred_masks[0]),
        (straight.hidden[0], crossed.hidden[0]),
        crossed.hidden[0],
    )
    levels = category_losses(answer, [stripes(2)], [torch.tensor([0, 1])], DENSE)
    for level in levels:
        assert level["mask"].item() == pytest.approx(good_mask_losses(2, 2)["mask"])


def test_sentences_with_and_without_masks() -> None:
    scores = torch.tensor([[[2.0], [-1.0], [0.5]], [[0.3], [-2.0], [1.0]]])
    answer = mask_output([scores], [[-1, 0, -1], [-1, -1, -1]])
    (level,) = condition_losses(
        answer,
        [stripes(1), stripes(0)],
        [torch.tensor([0]), torch.zeros(0, dtype=torch.long)],
        DENSE,
        "sentence",
    )
    values = scores.flatten().tolist()
    wanted = sum(bce(v, 0.0) for i, v in enumerate(values) if i != 1) + 5 * bce(values[1], 1.0)
    assert level["sentence"].item() == pytest.approx(wanted / 6, rel=1e-5)
    assert {k: level[k].item() for k in ("mask", "dice")} == pytest.approx(
        good_mask_losses(1, 1), rel=1e-4
    )


def test_labels_assign_masks_to_regions() -> None:
    """Two regions in one prompt, given in the other order, and one region in the next."""
    scores = torch.tensor([[[1.0, -1.0], [0.2, 3.0]], [[0.7, 0.0], [-0.4, 0.0]]])
    scores[1, :, 1] = float("-inf")
    answer = mask_output([scores], [[0, 1], [-1, 0]])
    (level,) = condition_losses(
        answer,
        [stripes(2), stripes(1)],
        [torch.tensor([1, 0]), torch.tensor([0])],
        DENSE,
        "region",
    )
    entries = [(1.0, 0), (-1.0, 1), (0.2, 1), (3.0, 0), (0.7, 0), (-0.4, 1)]
    wanted = sum(bce(logit, true) for logit, true in entries) / 6  # as many of each: weight 1
    assert level["region"].item() == pytest.approx(wanted, rel=1e-5)
    assert level["mask"].item() == pytest.approx(good_mask_losses(3, 3)["mask"], rel=1e-4)


@pytest.mark.parametrize("sampling", [DENSE, PointSampling(20)])
@pytest.mark.parametrize("kind", ["category", "sentence", "region"])
def test_prompts_without_masks(sampling: DenseSampling | PointSampling, kind: str) -> None:
    scores = torch.randn(2, 3, 2).requires_grad_()
    answer = mask_output([scores, scores], [[-1, 0, 1]] * 2)
    none = [torch.zeros(0, dtype=torch.long)] * 2
    truth = [stripes(0)] * 2
    levels: list[MatchedLevel]
    if kind == "category":
        levels = category_losses(answer, truth, none, sampling)
    else:
        levels = condition_losses(answer, truth, none, sampling, kind)
    for level in levels:
        assert level["mask"].item() == level["dice"].item() == 0
        assert level[kind].item() > 0
    torch.stack([v for level in levels for v in level.values()]).sum().backward()
    assert scores.grad is not None and scores.grad.isfinite().all()


def test_more_objects_than_queries() -> None:
    answer = mask_output([torch.zeros(1, 2, 3)], [[2, 0]])
    (level,) = category_losses(
        answer, [stripes(3)], [torch.zeros(3, dtype=torch.long)], PointSampling(200)
    )
    assert all(value.isfinite() for value in level.values())
    (dense,) = category_losses(answer, [stripes(3)], [torch.zeros(3, dtype=torch.long)], DENSE)
    assert dense["mask"].item() == pytest.approx(good_mask_losses(2, 3)["mask"], rel=1e-4)


def test_mask_losses_are_divided_by_the_count_they_are_given() -> None:
    reply = mask_output([torch.zeros(1, 2, 3)], [[0, 1]])
    truth, labels = [stripes(2)], [torch.tensor([0, 1])]
    (own,) = category_losses(reply, truth, labels, DENSE)
    (shared,) = category_losses(reply, truth, labels, DENSE, count=4.0)  # two processes, say
    for name in ("mask", "dice"):
        assert shared[name].item() == pytest.approx(own[name].item() / 2)
    assert shared["category"].item() == pytest.approx(own["category"].item())


def test_counts_of_a_single_process_are_at_least_one() -> None:
    assert averaged_counts([7, 0, 1]) == [7.0, 1.0, 1.0]
