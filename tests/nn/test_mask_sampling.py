"""Points fall where they should, repeat with the same draws, and cells hold shares of objects."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.mask_sampling import DenseSampling, PointSampling, RandomPoints, sample_points


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


def test_most_points_are_the_least_sure_of_the_candidates() -> None:
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
def test_every_cell_holds_the_share_that_is_covered(count: int) -> None:
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
