"""Auxiliary losses against the plain formulas, and batches without labels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from vlseg_cli.nn.auxiliary import BoxHead, DenseCategoryHead, LocalizationHead
from vlseg_cli.nn.boxes import mask_boxes


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(0, 7), st.integers(1, 6), st.integers(1, 8), st.booleans())
def test_the_box_of_a_rectangle(top: int, left: int, height: int, width: int, faint: bool) -> None:
    """(8, 12) map; a faint object covers no cell by half, so every touched cell counts."""
    mask = torch.zeros(1, 8, 12)
    mask[0, top : top + height, left : left + width] = 0.3 if faint else 0.8
    bottom, right = min(top + height, 8), min(left + width, 12)
    wanted = [
        (left + right) / 2 / 12,
        (top + bottom) / 2 / 8,
        (right - left) / 12,
        (bottom - top) / 8,
    ]
    assert mask_boxes(mask)[0].tolist() == pytest.approx(wanted)


def test_faint_border_cells_do_not_enlarge_the_box() -> None:
    mask = torch.zeros(1, 8, 12)
    mask[0, 2:4, 3:6] = 1.0
    mask[0, 1, 2:7] = 0.2
    assert mask_boxes(mask)[0].tolist() == pytest.approx([4.5 / 12, 3 / 8, 3 / 12, 2 / 8])


def test_box_loss_is_the_mean_absolute_error() -> None:
    head, hidden, truth = BoxHead(6), torch.randn(3, 6), torch.rand(3, 4)
    wanted = (head.regress(hidden).sigmoid() - truth).abs().mean()
    assert head(hidden, truth).item() == pytest.approx(wanted.item())


def test_only_labeled_cells_contribute() -> None:
    head, features = DenseCategoryHead(6, 4), torch.randn(2, 6, 3, 5)
    semantic = torch.full((2, 3, 5), -1)
    semantic[1, 2, 4] = 3
    wanted = -head.classify(features).log_softmax(1)[1, 3, 2, 4]
    assert head(features, semantic).item() == pytest.approx(wanted.item())


def test_a_batch_without_labels_has_zero_loss() -> None:
    head = DenseCategoryHead(6, 4)
    loss = head(torch.randn(2, 6, 3, 5), torch.full((2, 3, 5), -1))
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


def test_localization_is_cross_entropy_with_the_mask() -> None:
    head = LocalizationHead(8)
    token, cells = torch.randn(2, 8), torch.randn(2, 5, 8)
    truth = torch.tensor([[0, 0.5, 0.5, 0, 0], [0, 0, 0, 0, 1.0]])
    logits = torch.stack([head.key(c) @ head.query(t) for t, c in zip(token, cells, strict=True)])
    wanted = F.cross_entropy(logits / 8**0.5, truth)
    assert head(token, cells, 3 * truth).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_localization_of_an_empty_mask_is_finite() -> None:
    head = LocalizationHead(8)
    assert head(torch.randn(1, 8), torch.randn(1, 5, 8), torch.zeros(1, 5)).isfinite()
