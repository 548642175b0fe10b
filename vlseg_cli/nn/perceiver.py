"""The fine-grained visual perceiver: a few queries attend to the pyramid, fine to coarse.

Source: HyperSeg section 6 (``perceiver.py`` of the authors); the conditional weight is only in the
paper (equations 5 and 6) and enabled by ``gated``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vlseg_cli.nn.mask_decoder import MLP


class PerceiverAttention(nn.Module):
    """Attention of queries to a feature map and to each other."""

    def __init__(self, channels: int, heads: int, head_channels: int) -> None:
        super().__init__()
        self.heads, inner = heads, heads * head_channels
        self.norm_media = nn.LayerNorm(channels)
        self.norm_latents = nn.LayerNorm(channels)
        self.to_q = nn.Linear(channels, inner, bias=False)
        self.to_kv = nn.Linear(channels, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, channels, bias=False)

    def forward(self, queries: Tensor, features: Tensor) -> Tensor:
        """queries (B, N, D), features (B, L, D) -> attended values (B, N, D)."""
        queries = self.norm_latents(queries)
        memory = torch.cat([self.norm_media(features), queries], 1)
        keys, values = self.to_kv(memory).chunk(2, -1)
        attended = nn.functional.scaled_dot_product_attention(
            self._split_heads(self.to_q(queries)),
            self._split_heads(keys),
            self._split_heads(values),
        )
        output: Tensor = self.to_out(attended.transpose(1, 2).flatten(2))
        return output

    def _split_heads(self, rows: Tensor) -> Tensor:
        """(B, L, heads·C) -> (B, heads, L, C)."""
        return rows.view(*rows.shape[:2], self.heads, -1).transpose(1, 2)


class PerceiverLayer(nn.Module):
    """Attention over one scale, then a feed-forward, both residual."""

    def __init__(
        self, channels: int, heads: int, head_channels: int, expansion: int, gated: bool
    ) -> None:
        super().__init__()
        self.attention = PerceiverAttention(channels, heads, head_channels)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, expansion * channels, bias=False),
            nn.GELU(),
            nn.Linear(expansion * channels, channels, bias=False),
        )
        self.gate = MLP(channels) if gated else None
        if self.gate is not None:  # as in the paper, the gate starts closed
            for parameter in self.gate.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, queries: Tensor, features: Tensor) -> Tensor:
        """queries (B, N, D), one scale's features (B, L, D) -> (B, N, D)."""
        attended = self.attention(queries, features)
        if self.gate is not None:
            attended = self.gate(attended).tanh() * attended
        queries = queries + attended
        output: Tensor = queries + self.feedforward(queries)
        return output


class FineGrainedPerceiver(nn.Module):
    """A layer per scale of the pyramid; the resulting tokens are input of the language model.

    The queries of a video's next frame are ``carry`` of the language model's hidden states at this
    frame's tokens (local space-time injection, equation 8).
    """

    def __init__(
        self,
        *,
        in_channels: Sequence[int],
        out_channels: int,
        tokens: int,
        channels: int,
        heads: int,
        head_channels: int,
        expansion: int = 4,
        gated: bool = False,
    ) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(tokens, channels))
        self.level_embed = nn.Embedding(len(in_channels), channels)
        convs = [nn.Conv2d(width, channels, 1) for width in in_channels]
        for conv in convs:
            nn.init.kaiming_uniform_(conv.weight, a=1)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        self.local_project = nn.ModuleList(convs)
        self.layers = nn.ModuleList(
            PerceiverLayer(channels, heads, head_channels, expansion, gated) for _ in in_channels
        )
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, out_channels)
        self.carry = nn.Linear(out_channels, channels)

    def project_pyramid(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Feature maps, fine to coarse -> (B, h·w, D) each, plus their level's embedding."""
        return [
            conv(features).flatten(2).transpose(1, 2) + self.level_embed.weight[level]
            for level, (conv, features) in enumerate(zip(self.local_project, pyramid, strict=True))
        ]

    def forward(self, pyramid: Sequence[Tensor], queries: Tensor | None = None) -> Tensor:
        """Maps (B, C_i, h_i, w_i), fine to coarse; queries (B, N, D) carried from the frame before,
        or None for the learned ones -> tokens for the language model (B, N, D_out)."""
        if queries is None:
            queries = self.query.expand(len(pyramid[0]), -1, -1)
        for layer, features in zip(self.layers, self.project_pyramid(pyramid), strict=True):
            queries = layer(queries, features)
        tokens: Tensor = self.project(self.norm(queries))
        return tokens
