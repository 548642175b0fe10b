"""The fine grid beside the coarse one: what is packed comes back to its place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import InternVLModel

from vlseg_cli.nn.pixel_unshuffle import pixel_unshuffle, self_replicate, stitch

SIDES = st.integers(1, 5)


@settings(max_examples=15, deadline=None)
@given(h=SIDES, w=SIDES, channels=SIDES)
def test_unshuffling_undoes_internvls_packing(h: int, w: int, channels: int) -> None:
    patches = torch.randn(2, 2 * h, 2 * w, channels)
    packed = InternVLModel.pixel_shuffle(None, patches, 0.5)  # uses nothing of the model
    assert packed.shape == (2, h, w, 4 * channels)
    assert pixel_unshuffle(packed).equal(patches)


def test_a_replicated_patch_is_four_alike() -> None:
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
    assert stitch(torch.cat(tiles, 1), layout).equal(whole)
