"""Choosing among proposals: order and padding do not matter, sums count."""

import torch

from vlseg_cli.nn.proposal_selection import (
    BOX_FEATURES,
    ProposalSelector,
    SumAttention,
    box_features,
    pair_features,
)

B, N, L, D = 2, 6, 5, 16


def build() -> ProposalSelector:
    torch.manual_seed(0)
    return ProposalSelector(
        query_channels=8, feature_channels=4, text_channels=12, channels=D, heads=2, layers=2
    ).eval()


def proposals() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Appearance, boxes and areas."""
    rng = torch.Generator().manual_seed(1)
    boxes = torch.rand(B, N, 4, generator=rng)
    areas = boxes[..., 2] * boxes[..., 3]
    return torch.randn(B, N, D, generator=rng), boxes, areas


def prompts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Image index, words, and which words are of the sentence."""
    index = torch.tensor([0, 1, 1])
    text = torch.randn(3, L, 12, generator=torch.Generator().manual_seed(2))
    is_text = torch.ones(3, L, dtype=torch.bool)
    is_text[0, 3:] = False
    return index, text, is_text


def test_the_order_of_proposals_does_not_change_their_scores() -> None:
    selector, whole = build(), proposals()
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    straight = selector(selector.describe(*whole), *prompts())
    shuffled = selector(selector.describe(*(part[:, order] for part in whole)), *prompts())
    torch.testing.assert_close(shuffled, straight[:, order], rtol=1e-5, atol=1e-5)


def test_padding_changes_no_score() -> None:
    selector, (appearance, boxes, areas) = build(), proposals()
    straight = selector(selector.describe(appearance, boxes, areas), *prompts())
    more = [torch.cat([part, part[:, :2] + 1], 1) for part in (appearance, boxes)]
    padded_areas = torch.cat([areas, torch.zeros(B, 2)], 1)
    padded = selector(selector.describe(*more, padded_areas), *prompts())
    torch.testing.assert_close(padded[:, :N], straight, rtol=1e-5, atol=1e-5)


def test_words_that_are_padding_change_no_score() -> None:
    selector = build()
    described = selector.describe(*proposals())
    index, text, is_text = prompts()
    changed = torch.where(is_text.unsqueeze(-1), text, text + 3)
    torch.testing.assert_close(
        selector(described, index, changed, is_text), selector(described, index, text, is_text)
    )


def test_sum_attention_adds_up_what_a_softmax_would_average() -> None:
    torch.manual_seed(0)
    attention = SumAttention(D, 2)
    query, one = torch.randn(1, 1, D), torch.randn(1, 1, D)
    bias = torch.zeros(1, 1, 1, 1)
    once = attention(query, one, bias) - attention.out.bias
    thrice = attention(query, one.expand(1, 3, D), bias.expand(1, 1, 1, 3)) - attention.out.bias
    torch.testing.assert_close(thrice, 3 * once)


def test_features_of_boxes_and_pairs_are_finite_for_empty_and_equal_boxes() -> None:
    boxes, areas = torch.zeros(1, 3, 4), torch.zeros(1, 3)
    boxes[0, 1:] = 0.5
    assert box_features(boxes, areas).shape == (1, 3, BOX_FEATURES)
    assert box_features(boxes, areas).isfinite().all()
    assert pair_features(boxes, areas).isfinite().all()


def test_pair_features_tell_left_from_right() -> None:
    boxes = torch.tensor([[[0.2, 0.5, 0.1, 0.1], [0.8, 0.5, 0.1, 0.1]]])
    pairs = pair_features(boxes, boxes[..., 2] * boxes[..., 3])[0]
    assert pairs[0, 1, 0] > 0 > pairs[1, 0, 0]
