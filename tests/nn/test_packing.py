"""Prompts about one picture share a row; each finds its own again."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.packing import Packing


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(1, 4))
def test_what_is_packed_is_unpacked(pictures: list[int], count: int) -> None:
    queries = torch.randn(len(pictures), count, 2)
    packing = Packing(torch.tensor(pictures), 4, count)
    packed = packing.pack(queries)
    assert packed.shape == (4, packing.slots * count, 2)
    assert packing.slots == max(pictures.count(picture) for picture in pictures)
    assert torch.equal(packing.unpack(packed), queries)
    assert torch.isclose(packed.sum(), queries.sum(), atol=1e-5)


def test_prompts_are_kept_apart() -> None:
    packing = Packing(torch.tensor([0, 1, 0]), 2, 2)
    assert packing.apart().int().tolist() == [[0, 0, 1, 1]] * 2 + [[1, 1, 0, 0]] * 2
