"""Windows are cut row by row, and regions are the tokens under one overview token."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.high_resolution import RegionAttention, cut_windows, join_windows, split_regions

COUNTS = st.integers(1, 4)


@settings(max_examples=20, deadline=None)
@given(COUNTS, st.integers(1, 4), st.integers(1, 4))
def test_joining_inverts_cutting(count: int, h: int, w: int) -> None:
    image = torch.randn(3, count * h, count * w)
    windows = cut_windows(image, count)
    assert windows.shape == (count**2, 3, h, w) and windows[0].equal(image[:, :h, :w])
    joined = join_windows(windows.permute(0, 2, 3, 1)[None])
    assert joined[0].permute(2, 0, 1).equal(image)


@settings(max_examples=20, deadline=None)
@given(COUNTS, st.integers(1, 4))
def test_every_window_token_is_in_its_overview_region(count: int, grid: int) -> None:
    side = count * grid
    local = torch.arange(side * side).view(1, side, side, 1).float()
    regions = split_regions(local, count)
    assert regions.shape == (1, grid * grid, count * count, 1)
    assert regions.flatten().sort().values.equal(local.flatten())
    for place, region in enumerate(regions[0, :, :, 0].long().tolist()):
        assert {t // side // count * grid + t % side // count for t in region} == {place}


@torch.no_grad()
def test_attention_is_a_mean_of_the_region() -> None:
    attention = RegionAttention(4)
    attention.key.weight.zero_()
    overview, detail = torch.randn(2, 3, 3, 4), torch.randn(2, 6, 6, 4)
    means = attention.value(split_regions(detail, 2)).mean(2).view(overview.shape)
    assert torch.allclose(attention(overview, detail), means, atol=1e-6)
