"""Losses against their formulas; sampled points repeat, and dense cells hold area shares."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.losses import (
    DenseSampling,
    PointSampling,
    RandomPoints,
    balanced_bce,
    category_loss,
    dice_loss,
    mask_bce,
    next_token_loss,
    sample_points,
)

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
    assert float(dice_loss(logits, truth, 3)) == pytest.approx(soft / 3, abs=1e-5)


def test_no_masks_have_zero_loss_and_a_gradient() -> None:
    logits = torch.zeros(0, 5, requires_grad=True)
    total = mask_bce(logits, torch.zeros(0, 5), 1) + dice_loss(logits, torch.zeros(0, 5), 1)
    total.backward()
    assert total.item() == 0
    assert logits.grad is not None


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(0.05, 1))
def test_category_loss_weights_no_object_per_prompt(seed: int, weight: float) -> None:
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


def test_half_precision_logits_are_accepted() -> None:
    logits, truth = torch.randn(2, 5).bfloat16(), torch.ones(2, 5)
    assert mask_bce(logits, truth, 1).dtype == torch.float32
    assert dice_loss(logits, truth, 1).dtype == torch.float32
    assert balanced_bce(logits, truth).dtype == torch.float32


def test_each_label_is_predicted_at_the_position_before() -> None:
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [9.0, 9.0, 9.0]]])
    labels = torch.tensor([[2, 0, -100]])  # the first has nothing before it, the last is not said
    exponents = [math.exp(value) for value in (2.0, 0.0, 1.0)]
    expected = -math.log(exponents[0] / sum(exponents))
    assert next_token_loss(logits, labels).item() == pytest.approx(expected)


def seeded(seed: int = 0) -> RandomPoints:
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.rand(shape, generator=generator)


def rectangles(count: int) -> Tensor:
    """(count, 32, 48) masks, each one rectangle."""
    masks = torch.zeros(count, 32, 48, dtype=torch.bool)
    for index, mask in enumerate(masks):
        mask[index : index + 12, 4 * index : 4 * index + 20] = True
    return masks


def test_samples_at_cell_centers_are_the_cells() -> None:
    maps = torch.randn(2, 3, 4)
    y, x = torch.meshgrid((torch.arange(3) + 0.5) / 3, (torch.arange(4) + 0.5) / 4, indexing="ij")
    points = torch.stack([x, y], -1).view(1, 12, 2).expand(2, -1, -1)
    assert torch.allclose(sample_points(maps, points), maps.flatten(1), atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 4))
def test_the_same_draws_give_the_same_points(seed: int, count: int) -> None:
    logits, truth = torch.randn(count, 8, 12), rectangles(count)

    def sampled() -> list[Tensor]:
        sampling = PointSampling(40, draw=seeded(seed))
        prepared = sampling.prepare(truth)
        queries = logits.repeat(2, 1, 1)
        matching = sampling.for_matching(queries, prepared)
        return [*matching, *sampling.for_loss(logits, prepared)]

    first, second = sampled(), sampled()
    shapes = [(2 * count, 40), (count, 40), (count, 40), (count, 40)]
    assert [tuple(one.shape) for one in first] == shapes
    for one, other in zip(first, second, strict=True):
        assert one.equal(other)


def test_all_masks_are_matched_at_the_same_points() -> None:
    sampling = PointSampling(50, draw=seeded())
    same = torch.randn(1, 8, 12).expand(3, -1, -1)
    logits, _ = sampling.for_matching(same, sampling.prepare(rectangles(1)))
    assert logits[0].equal(logits[1]) and logits[0].equal(logits[2])


def test_most_points_are_the_most_uncertain_candidates() -> None:
    draws: list[Tensor] = []
    source = seeded(3)

    def recorded(shape: tuple[int, ...]) -> Tensor:
        draws.append(source(shape))
        return draws[-1]

    sampling = PointSampling(40, oversample=3.0, important=0.75, draw=recorded)
    logits, truth = torch.randn(2, 8, 12), sampling.prepare(rectangles(2))
    values, true = sampling.for_loss(logits, truth)
    candidates, extra = draws
    assert candidates.shape == (2, 120, 2) and extra.shape == (2, 10, 2)
    doubt = sample_points(logits, candidates).abs().sort(1).values
    assert torch.allclose(values[:, :30].abs().sort(1).values, doubt[:, :30])
    assert torch.allclose(values[:, 30:], sample_points(logits, extra))
    assert torch.allclose(true[:, 30:], sample_points(truth, extra))


def test_gradients_reach_the_logits() -> None:
    for sampling in (PointSampling(20, draw=seeded()), DenseSampling()):
        logits = torch.randn(2, 8, 12, requires_grad=True)
        sampling.for_loss(logits, sampling.prepare(rectangles(2)))[0].sum().backward()
        assert logits.grad is not None and logits.grad.abs().sum() > 0


@pytest.mark.parametrize("count", [0, 3])
def test_every_cell_has_the_covered_fraction(count: int) -> None:
    sampling, masks = DenseSampling(4), rectangles(count)
    shares = sampling.prepare(masks)
    assert shares.shape == (count, 8, 12)
    for index, mask in enumerate(masks):
        for y, x in ((0, 0), (2, 3), (7, 11), (index // 4, index)):
            cell = mask[4 * y : 4 * y + 4, 4 * x : 4 * x + 4].float().mean()
            assert shares[index, y, x] == pytest.approx(float(cell))
    logits = torch.randn(count, 8, 12)
    for values, true in (
        sampling.for_matching(logits, shares),
        sampling.for_loss(logits, shares),
    ):
        assert values.equal(logits.reshape(count, 96)) and true.equal(shares.reshape(count, 96))
