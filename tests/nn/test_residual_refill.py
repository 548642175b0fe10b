"""Residual refilling, tile order, and the two-pathway mask."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from transformers import InternVLModel

from vlseg_cli.nn.residual_refill import (
    ResidualRefill,
    mask_logits,
    pixel_unshuffle,
    self_replicate,
    stitch_tiles,
    two_pathway_mask,
    upsample_map,
)


def test_equal_outputs_and_inputs_have_no_residual() -> None:
    same = torch.randn(2, 3, 5, 24)
    residual = ResidualRefill(6).residual(same, same)
    assert residual.shape == (2, 6, 10, 6) and not residual.any()


def test_masks_are_dot_products_of_described_pixels_and_queries() -> None:
    refill = ResidualRefill(6).double()
    for parameter in refill.parameters():
        torch.nn.init.normal_(parameter)
    fine, residual = torch.randn(2, 12, 20, 6).double(), torch.randn(3, 6, 10, 6).double()
    pictures, owner = (
        torch.tensor([1, 0, 1]),
        torch.tensor([0, 0, 0, 2]),
    )  # the second asks nothing
    queries = torch.randn(4, 6).double()
    pixels = refill.describe(fine[pictures] + upsample_map(residual, fine.shape[1:3]))
    expected = torch.einsum("mhwd,md->mhw", pixels[owner], queries) / 6**0.5
    drawn = refill.predict_masks(fine, pictures, residual, queries, owner)
    torch.testing.assert_close(drawn, expected)
    nothing = refill.predict_masks(fine, pictures, residual, queries[:0], owner[:0])
    assert nothing.shape == (0, 12, 20)


def test_residuals_are_upsampled_between_cell_centers() -> None:
    residual = torch.arange(4.0).view(1, 1, 4, 1)
    line = upsample_map(residual, torch.Size((1, 8)))[0, 0, :, 0]
    assert line.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


def test_a_query_is_the_mean_of_its_four_positions() -> None:
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


SIDES = st.integers(1, 5)


@settings(max_examples=15, deadline=None)
@given(h=SIDES, w=SIDES, channels=SIDES)
def test_unshuffling_inverts_internvls_packing(h: int, w: int, channels: int) -> None:
    patches = torch.randn(2, 2 * h, 2 * w, channels)
    packed = InternVLModel.pixel_shuffle(None, patches, 0.5)  # uses nothing of the model
    assert packed.shape == (2, h, w, 4 * channels)
    assert pixel_unshuffle(packed).equal(patches)


def test_a_replicated_patch_is_repeated_four_times() -> None:
    patches = torch.randn(1, 9, 3)
    cells = self_replicate(patches).view(1, 3, 3, 12)
    assert pixel_unshuffle(cells).equal(
        patches.view(1, 3, 3, 3).repeat_interleave(2, 1).repeat_interleave(2, 2)
    )


@pytest.mark.parametrize("layout", [(1, 1), (2, 2), (1, 3), (3, 1), (2, 3)])
@pytest.mark.parametrize("side", [1, 3, 4])
def test_tiles_are_stitched_where_they_were_cut(layout: tuple[int, int], side: int) -> None:
    rows, columns = layout
    whole = torch.randn(2, rows * side, columns * side, 5)
    tiles = [
        tile.flatten(1, 2) for row in whole.split(side, 1) for tile in row.split(side, 2)
    ]  # row after row
    assert stitch_tiles(torch.cat(tiles, 1), layout).equal(whole)


KINDS = "tis0"  # text, image, [SEG], padding


def mask_of(*rows: str) -> Tensor:
    def where(kind: str) -> Tensor:
        return torch.tensor([[letter == kind for letter in row] for row in rows])

    return two_pathway_mask(where("i"), where("s"), where("0"))[:, 0]


def test_the_two_pathway_mask_by_hand() -> None:
    allowed = mask_of("tiits0")[0].int().tolist()
    assert allowed == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 1, 0],  # an image token sees the next one and [SEG], not the words between
        [1, 1, 1, 0, 1, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1, 1],  # padding sees itself, and nobody else sees it
    ]


def test_without_seg_all_is_causal() -> None:
    assert mask_of("tiit").equal(torch.ones(1, 4, 4, dtype=torch.bool).tril())
    alone, beside = mask_of("tiit0")[0], mask_of("tiit0", "tiits")[0]
    assert not alone[4, 4] and beside[4, 4]
    assert alone[:, :4].equal(beside[:, :4])


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.text(KINDS, min_size=6, max_size=6), min_size=1, max_size=3))
def test_the_two_pathway_mask_follows_the_rule(rows: list[str]) -> None:
    masks, any_seg = mask_of(*rows), any("s" in row for row in rows)
    for row, mask in zip(rows, masks, strict=True):
        for q, asking in enumerate(row):
            for k, asked in enumerate(row):
                wanted = k <= q or (
                    asking == "i" and (asked == "s" or (asked == "i" and "s" in row))
                )
                wanted = (wanted and asked != "0") or (any_seg and k == q)
                assert bool(mask[q, k]) is wanted
