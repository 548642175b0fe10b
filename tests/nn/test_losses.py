"""The losses against their formulas, written out number by number."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.losses import balanced_bce, category_loss, dice, mask_bce, next_token_loss

seeds = st.integers(0, 10_000)


def bce(logit: float, truth: float) -> float:
    return math.log1p(math.exp(-logit)) * truth + math.log1p(math.exp(logit)) * (1 - truth)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(1, 6))
def test_mask_losses(seed: int, masks: int, points: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(masks, points, generator=draw)
    truth = torch.rand(masks, points, generator=draw)
    cross = soft = 0.0
    for row, true in zip(logits.tolist(), truth.tolist(), strict=True):
        cross += sum(bce(a, b) for a, b in zip(row, true, strict=True)) / points
        p = [1 / (1 + math.exp(-a)) for a in row]
        overlap = sum(a * b for a, b in zip(p, true, strict=True))
        soft += 1 - (2 * overlap + 1) / (sum(p) + sum(true) + 1)
    assert float(mask_bce(logits, truth, 3)) == pytest.approx(cross / 3, abs=1e-5)
    assert float(dice(logits, truth, 3)) == pytest.approx(soft / 3, abs=1e-5)


def test_no_masks_cost_nothing_and_still_have_a_gradient() -> None:
    logits = torch.zeros(0, 5, requires_grad=True)
    total = mask_bce(logits, torch.zeros(0, 5), 1) + dice(logits, torch.zeros(0, 5), 1)
    total.backward()
    assert total.item() == 0
    assert logits.grad is not None


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(0.05, 1))
def test_category_loss_weighs_void_by_each_pictures_own_list(seed: int, weight: float) -> None:
    """Two pictures: four names and two; what the second lacks is padded with -inf."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 4, generator=draw)
    logits[1, :, 2:] = float("-inf")
    void = torch.tensor([3, 1])
    labels = torch.tensor([[3, 0, 2], [1, 0, 1]])
    total = weights = 0.0
    for picture in range(2):
        for row, label in zip(logits[picture].tolist(), labels[picture].tolist(), strict=True):
            each = math.log(sum(math.exp(v) for v in row)) - row[label]
            w = weight if label == void[picture] else 1.0
            total, weights = total + w * each, weights + w
    logits.requires_grad_()
    loss = category_loss(logits, labels, void, weight)
    assert loss.item() == pytest.approx(total / weights, rel=1e-5)
    loss.backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(0, 3))
def test_balanced_bce_weighs_positives_as_all_negatives(seed: int, positives: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 5, generator=draw)
    truth = torch.zeros(10)
    truth[torch.randperm(10, generator=draw)[:positives]] = 1
    truth = truth.view(2, 5)
    weight = (10 - max(positives, 1)) / max(positives, 1)
    wanted = sum(
        bce(a, b) * (weight if b else 1)
        for a, b in zip(logits.flatten().tolist(), truth.flatten().tolist(), strict=True)
    )
    assert float(balanced_bce(logits, truth)) == pytest.approx(wanted / 10, rel=1e-5)


def test_half_precision_logits_are_taken() -> None:
    logits, truth = torch.randn(2, 5).bfloat16(), torch.ones(2, 5)
    assert mask_bce(logits, truth, 1).dtype == torch.float32
    assert dice(logits, truth, 1).dtype == torch.float32
    assert balanced_bce(logits, truth).dtype == torch.float32


def test_each_label_is_asked_of_the_position_before_it() -> None:
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [9.0, 9.0, 9.0]]])
    labels = torch.tensor([[2, 0, -100]])  # the first has nothing before it, the last is not said
    exponents = [math.exp(value) for value in (2.0, 0.0, 1.0)]
    expected = -math.log(exponents[0] / sum(exponents))
    assert next_token_loss(logits, labels).item() == pytest.approx(expected)
