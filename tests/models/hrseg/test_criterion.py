"""The losses ignore padding, are zero for exact scores, and are weighted as documented."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.models.hrseg.criterion import align_loss, iop_loss
from vlseg_cli.nn.mask_fusion import MaskFusion
from vlseg_cli.nn.pooling import pool_masks, upsample


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(0, 3))
def test_padding_does_not_affect_the_losses(seed: int, real: int, padding: int) -> None:
    torch.manual_seed(seed)
    similarity, iou, iop = torch.rand(3, 2, real + padding)
    present = torch.arange(real + padding).expand(2, -1) < real
    every = torch.ones(2, real, dtype=torch.bool)
    for loss in (align_loss, iop_loss):
        padded = loss(similarity, iou, present)
        assert torch.allclose(padded, loss(similarity[:, :real], iou[:, :real], every), atol=1e-5)
    assert (align_loss(iou, iou, present).abs() < 1e-5).all()
    assert (iop_loss(iop, iop, present) == 0).all()


def test_without_proposals_the_losses_are_zero() -> None:
    nothing = torch.zeros(2, 3)
    for loss in (align_loss, iop_loss):
        assert loss(nothing, nothing, nothing > 0).tolist() == [0, 0]


def test_plain_and_weighted_losses() -> None:
    predicted, truth, present = (
        torch.tensor([[0.0, 1.0]]),
        torch.tensor([[1.0, 1.0]]),
        torch.ones(1, 2) > 0,
    )
    assert iop_loss(predicted, truth, present, "plain").tolist() == [0.5]
    assert iop_loss(predicted, truth, present, "weighted").tolist() == [25.0]


@torch.no_grad()
def test_padded_masks_do_not_affect_other_masks() -> None:
    torch.manual_seed(0)
    fusion = MaskFusion(8, 2, 16, 2).eval()
    masks, text = torch.randn(1, 4, 8), torch.randn(1, 8)
    alone = fusion(masks[:, :3], text, torch.ones(1, 3) > 0)
    padded = fusion(masks, text, torch.tensor([[True, True, True, False]]))
    assert torch.allclose(alone, padded[:, :3], atol=1e-6)


def test_pooling_is_a_weighted_mean() -> None:
    features = torch.arange(8.0).view(2, 2, 2)
    masks = torch.tensor([[[1.0, 0], [0, 1]], [[0, 0.5], [0, 0]], [[0, 0], [0, 0]]])
    assert torch.allclose(pool_masks(features, masks), torch.tensor([[1.5, 5.5], [1, 5], [0, 0]]))
    assert upsample(features[None].half(), 6).dtype is torch.float32
