"""Who may look at whom, counted by hand and checked against the rule for random rows."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.two_pathway_mask import two_pathway_mask

KINDS = "tis0"  # text, image, [SEG], padding


def mask_of(*rows: str) -> Tensor:
    def where(kind: str) -> Tensor:
        return torch.tensor([[letter == kind for letter in row] for row in rows])

    return two_pathway_mask(where("i"), where("s"), where("0"))[:, 0]


def test_by_hand() -> None:
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
def test_the_rule(rows: list[str]) -> None:
    masks, any_seg = mask_of(*rows), any("s" in row for row in rows)
    for row, mask in zip(rows, masks, strict=True):
        for q, asking in enumerate(row):
            for k, asked in enumerate(row):
                wanted = k <= q or (
                    asking == "i" and (asked == "s" or (asked == "i" and "s" in row))
                )
                wanted = (wanted and asked != "0") or (any_seg and k == q)
                assert bool(mask[q, k]) is wanted
