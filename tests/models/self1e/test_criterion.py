"""The losses of SELF1E on masks that can be computed by hand."""

import math

import pytest
import torch

from vlseg_cli.models.self1e.criterion import mask_losses, scaled_dice, soft_targets


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((128, 500), (128, 500)),
        ((60, 90), (60, 90)),
        ((129, 129), (128, 128)),
        ((160, 200), (128, 160)),
        ((333, 200), (213, 128)),
    ],
)
def test_targets_are_reduced_to_128_px(size: tuple[int, int], expected: tuple[int, int]) -> None:
    mask = torch.zeros(2, *size, dtype=torch.bool)
    mask[0, : size[0] // 2] = True
    target = soft_targets(mask)
    assert target.shape == (2, *expected) and target.dtype is torch.float32
    assert not target[1].any() and 0.45 < target[0].mean() < 0.55
    assert soft_targets(mask[:0]).shape[0] == 0


def test_dice_by_hand() -> None:
    """Certain logits: two of four cells right, one too many."""
    logits = torch.tensor([[50.0, 50, -50, -50]])
    truth = torch.tensor([[1.0, 0, 1, 0]])
    assert scaled_dice(logits, truth).item() == pytest.approx(
        1 - (2 * 0.001 + 1e-6) / (0.002 + 0.002 + 1e-6)
    )
    assert scaled_dice(logits, (logits > 0).float()).item() == pytest.approx(0, abs=1e-6)
    nothing = torch.zeros(1, 4)
    assert scaled_dice(torch.full((1, 4), -90.0), nothing).item() == pytest.approx(0, abs=1e-6)


def test_sums_over_masks_and_both_paths_per_conversation() -> None:
    """Zero logits cost ln 2 per mask and path; the sum is divided by three conversations."""
    sizes = [(2, 8, 8), (0, 1, 1), (1, 10, 6)]
    targets = [torch.ones(size) for size in sizes]
    maps = torch.zeros(3, 4, 4)
    bce, dice = mask_losses(maps, maps, targets)
    assert bce.item() == pytest.approx(3 * 2 * math.log(2) / 3)
    assert dice.item() == pytest.approx(3 * 2 * (1 - 2 / 3) / 3, abs=1e-4)
    learned = maps.clone().requires_grad_()
    mask_losses(learned, maps, targets).bce.backward()
    assert learned.grad is not None and learned.grad.flatten(1).any(1).all()


def test_without_masks_the_losses_are_zero() -> None:
    none = torch.zeros(0, 4, 4, requires_grad=True)
    bce, dice = mask_losses(none, none, [torch.zeros(0, 1, 1)])
    assert bce.item() == dice.item() == 0
    (bce + dice).backward()
