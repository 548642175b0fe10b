"""What the language model added, refilled into the fine grid."""

import torch
from torch.nn import functional as F

from vlseg_cli.nn.residual_refill import ResidualRefill, enlarge, mask_logits


def test_nothing_was_added_where_nothing_changed() -> None:
    same = torch.randn(2, 3, 5, 24)
    residual = ResidualRefill(6).residual(same, same)
    assert residual.shape == (2, 6, 10, 6) and not residual.any()


def test_masks_are_described_pixels_against_queries() -> None:
    refill = ResidualRefill(6).double()
    for parameter in refill.parameters():
        torch.nn.init.normal_(parameter)
    fine, residual = torch.randn(2, 12, 20, 6).double(), torch.randn(3, 6, 10, 6).double()
    pictures, owner = torch.tensor([1, 0, 1]), torch.tensor([0, 0, 0, 2])  # the second asks nothing
    queries = torch.randn(4, 6).double()
    pixels = refill.describe(fine[pictures] + enlarge(residual, fine.shape[1:3]))
    expected = torch.einsum("mhwd,md->mhw", pixels[owner], queries) / 6**0.5
    drawn = refill.draw(fine, pictures, residual, queries, owner)
    torch.testing.assert_close(drawn, expected)
    nothing = refill.draw(fine, pictures, residual, queries[:0], owner[:0])
    assert nothing.shape == (0, 12, 20)


def test_residuals_are_enlarged_between_cell_centres() -> None:
    residual = torch.arange(4.0).view(1, 1, 4, 1)
    line = enlarge(residual, torch.Size((1, 8)))[0, 0, :, 0]
    assert line.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


def test_a_query_is_the_mean_of_its_four_places() -> None:
    refill, seg = ResidualRefill(5), torch.randn(3, 5)
    amplified = refill.amplify(seg)
    places = torch.stack([amplified[:, 5 * n : 5 * n + 5] for n in range(4)]).mean(0)
    torch.testing.assert_close(refill.query(seg), refill.describe(places))


def test_new_heads_begin_small_and_without_bias() -> None:
    torch.manual_seed(0)
    refill = ResidualRefill(64)
    for name, values in refill.named_parameters():
        assert (values == 0).all() if name.endswith("bias") else 0.018 < values.std() < 0.022


def test_logits_are_scaled_dot_products() -> None:
    features, queries = torch.randn(2, 3, 4, 16), torch.randn(2, 16)
    expected = F.conv2d(features[1].permute(2, 0, 1), queries[1].view(1, 16, 1, 1))[0] / 4
    torch.testing.assert_close(mask_logits(features, queries, torch.arange(2))[1], expected)
