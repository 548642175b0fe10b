"""Choosing among proposals: which masks of an image a sentence or a region prompt means.

In none of the papers. PSALM scores each mask token by itself, which a miniature cannot use for
"the second cup from the left": that compares proposals. Here proposals attend to the words and,
with their relative positions, to each other. Attention weights are sigmoids, not a softmax: their
sums count ("how many are further left?"), where means cannot.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

_FREQUENCIES = (1, 2, 4, 8)
BOX_FEATURES = 7 + 4 * len(_FREQUENCIES)
_PAIR_FEATURES = 14
_SHARP = 8.0  # how soon a difference of coordinates saturates
_EPSILON = 1e-4


class ProposalSet(NamedTuple):
    """The proposals of B images: tokens (B, N, D), bias (B, layers, heads, N, N), -inf to what
    has no mask."""

    tokens: Tensor
    bias: Tensor


def box_features(boxes: Tensor, areas: Tensor) -> Tensor:
    """boxes (B, N, 4) as cx, cy, w, h in [0, 1], areas (B, N) fractions -> (B, N, BOX_FEATURES)."""
    center, size = boxes[..., :2], boxes[..., 2:]
    side = areas.clamp(min=_EPSILON).sqrt().unsqueeze(-1)
    waves = [f(center * torch.pi * n) for n in _FREQUENCIES for f in (torch.sin, torch.cos)]
    log_size = (size + 0.01).log() / 4
    return torch.cat([center, size, side, log_size, *waves], -1)


def pair_features(boxes: Tensor, areas: Tensor) -> Tensor:
    """Relative position of every two proposals: (B, N, 4), (B, N) -> (B, N, N, 14)."""
    center, size = boxes[..., :2], boxes[..., 2:]
    low, high = center - size / 2, center + size / 2
    one, other = (slice(None), slice(None), None), (slice(None), None)
    offset = center[other] - center[one]
    inner = (torch.minimum(high[one], high[other]) - torch.maximum(low[one], low[other])).clamp(0)
    overlap = inner.prod(-1)
    box_area = size.prod(-1) + _EPSILON
    ratio = (areas[other] + _EPSILON).log() - (areas[one] + _EPSILON).log()
    gaps = torch.stack(
        [low[other][..., 1] - high[one][..., 1], high[other][..., 1] - low[one][..., 1]], -1
    )
    return torch.cat(
        [
            offset,
            offset.abs(),
            (_SHARP * offset).tanh(),
            offset.norm(dim=-1, keepdim=True),
            (ratio / 2).tanh().unsqueeze(-1),
            (overlap / box_area[one]).unsqueeze(-1),
            (overlap / box_area[other]).unsqueeze(-1),
            (_SHARP * gaps).tanh(),
            (_SHARP * (high[other] - high[one])[..., 1:]).tanh(),
            torch.eye(boxes.shape[1], device=boxes.device).expand(len(boxes), -1, -1)[..., None],
        ],
        -1,
    )


class SumAttention(nn.Module):
    """Attention whose weights are sigmoids: values are added up, not averaged."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (
            nn.Linear(channels, channels) for _ in range(4)
        )
        self.offset = nn.Parameter(torch.full((heads, 1, 1), -2.0))

    def forward(self, queries: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """(P, N, D), (P, L, D), bias (P, heads or 1, N, L) with -inf at padding -> (P, N, D)."""
        q, k, v = (
            layer(x).view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for layer, x in ((self.query, queries), (self.key, memory), (self.value, memory))
        )
        logits = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5 + bias + self.offset
        output: Tensor = self.out((logits.sigmoid() @ v).transpose(1, 2).flatten(2))
        return output


class SelectionLayer(nn.Module):
    """Attention to the words, attention among proposals, feed-forward; norms come first."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.to_text = nn.MultiheadAttention(channels, heads, batch_first=True)
        self.among = SumAttention(channels, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.feedforward = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, tokens: Tensor, text: Tensor, no_text: Tensor, bias: Tensor) -> Tensor:
        """tokens (P, N, D), text (P, L, D), no_text (P, L) True at padding, bias (P, h, N, N)."""
        attended, _ = self.to_text(
            self.norms[0](tokens), text, text, key_padding_mask=no_text, need_weights=False
        )
        tokens = tokens + attended
        normed = self.norms[1](tokens)
        tokens = tokens + self.among(normed, normed, bias)
        output: Tensor = tokens + self.feedforward(self.norms[2](tokens))
        return output


class ProposalSelector(nn.Module):
    """Scores of N proposals for P prompts."""

    def __init__(
        self,
        *,
        query_channels: int,
        feature_channels: int,
        text_channels: int,
        channels: int,
        heads: int,
        layers: int,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.from_query = nn.Linear(query_channels, channels)
        self.from_features = nn.Linear(feature_channels, channels)
        self.appearance_norm = nn.LayerNorm(channels)
        self.from_box = nn.Linear(BOX_FEATURES, channels)
        self.from_text = nn.Linear(text_channels, channels)
        self.pair_bias = nn.Sequential(
            nn.Linear(_PAIR_FEATURES, 32), nn.GELU(), nn.Linear(32, heads * layers)
        )
        self.layers = nn.ModuleList(SelectionLayer(channels, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.score = nn.Linear(channels, 1)
        nn.init.constant_(self.score.bias, -3.0)

    def appearance(self, queries: Tensor, features: Tensor) -> Tensor:
        """What a proposal is: decoded queries (B, N, d), features pooled over its mask (B, N, C)
        -> (B, N, D)."""
        output: Tensor = self.appearance_norm(
            self.from_query(queries) + self.from_features(features)
        )
        return output

    def describe(self, appearance: Tensor, boxes: Tensor, areas: Tensor) -> ProposalSet:
        """Appearance (B, N, D), boxes (B, N, 4), areas (B, N), 0 for padding; once per image."""
        tokens = appearance + self.from_box(box_features(boxes, areas))
        bias = self.pair_bias(pair_features(boxes, areas)).permute(0, 3, 1, 2)
        bias = bias.masked_fill(areas[:, None, None] == 0, float("-inf"))
        shape = len(bias), len(self.layers), self.heads, *bias.shape[2:]
        return ProposalSet(tokens, bias.view(shape))

    def forward(
        self, proposals: ProposalSet, image_index: Tensor, text: Tensor, is_text: Tensor
    ) -> Tensor:
        """Prompt p is about image ``image_index[p]``; text (P, L, D) hidden states of its words,
        is_text (P, L) bool -> logits (P, N)."""
        tokens, bias = proposals.tokens[image_index], proposals.bias[image_index]
        words = self.from_text(text)
        for index, layer in enumerate(self.layers):
            tokens = layer(tokens, words, ~is_text, bias[:, index])
        logits: Tensor = self.score(self.norm(tokens)).squeeze(-1)
        return logits
