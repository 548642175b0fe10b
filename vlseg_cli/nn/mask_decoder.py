"""Mask2Former's mask decoder for several prompts per image that share the image's features.

Prompt p about image ``image_index[p]`` takes a slot of that image: the decoder gets (B, slots·N)
queries, and a mask in its self-attention separates the prompts.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerMaskedAttentionDecoder,
    Mask2FormerMaskedAttentionDecoderLayer,
    Mask2FormerSinePositionEmbedding,
)

from vlseg_cli.nn.pixel_decoder import PixelFeatures


class QueryPacking:
    """Indices of the N queries of each of P prompts among those of B images."""

    def __init__(self, image_index: Tensor, batch: int, count: int) -> None:
        """image_index (P,): the image of each prompt; count: N."""
        same = image_index.unsqueeze(0) == image_index.unsqueeze(1)
        self.image_index, self.batch, self.count = image_index, batch, count
        self.slot = same.tril(-1).sum(1)
        self.slots = int(self.slot.max()) + 1

    def pack(self, queries: Tensor) -> Tensor:
        """(P, N, …) -> (B, slots·N, …), zeros where an image has fewer prompts."""
        packed = queries.new_zeros(self.batch, self.slots, *queries.shape[1:])
        return packed.index_put((self.image_index, self.slot), queries).flatten(1, 2)

    def unpack(self, packed: Tensor) -> Tensor:
        """(B, slots·N, …) -> (P, N, …)."""
        by_slot = packed.reshape(len(packed), self.slots, self.count, *packed.shape[2:])
        return by_slot[self.image_index, self.slot]

    def separation_mask(self) -> Tensor:
        """(slots·N, slots·N) bool: True where two queries belong to different prompts."""
        owner = torch.arange(self.slots, device=self.slot.device).repeat_interleave(self.count)
        return owner.unsqueeze(0) != owner.unsqueeze(1)


class DecodedQueries(NamedTuple):
    """One entry per level: before the first layer, then after each; the last is the result.

    hidden: (P, N, D) after the decoder norm. pred_masks: logits (P, N, H/4, W/4). content:
    (P, N, D) the last layer's output before the norm.
    """

    hidden: tuple[Tensor, ...]
    pred_masks: tuple[Tensor, ...]
    content: Tensor


class MaskDecoder(nn.Module):
    """Masked-attention transformer decoder over three memory levels."""

    def __init__(self, config: Mask2FormerConfig, *, queries: int) -> None:
        """config: transformers counts the prediction before the first layer as a layer."""
        super().__init__()
        channels, self.heads = config.hidden_dim, config.num_attention_heads
        self.query_embed = nn.Embedding(queries, channels)
        self.level_embed = nn.Embedding(3, channels)
        self.position = Mask2FormerSinePositionEmbedding(channels // 2, normalize=True)
        self.decoder = Mask2FormerMaskedAttentionDecoder(config)
        for parameter in self.decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, queries: Tensor, features: PixelFeatures, image_index: Tensor
    ) -> DecodedQueries:
        """queries (P, N, D) of P prompts, features of B images, image_index (P,).

        Prompts about one image share its features and do not attend to each other. N may be
        smaller than the number of learned query positions: the first N are used.
        """
        count = queries.shape[1]
        packing = QueryPacking(image_index, len(features.mask_features), count)
        packed = packing.pack(queries).transpose(0, 1)
        position = self.query_embed.weight[:count].repeat(packing.slots, 1).unsqueeze(1)
        separation = self._separation(packing, packed) if packing.slots > 1 else None
        levels, content = self.run_layers(packed, position, features, separation)
        return DecodedQueries(
            tuple(packing.unpack(z) for z, _ in levels),
            tuple(packing.unpack(masks) for _, masks in levels),
            packing.unpack(content),
        )

    def run_layers(
        self, packed: Tensor, position: Tensor, features: PixelFeatures, separation: Tensor | None
    ) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        """packed (M, B, D): queries of B images; position (M, 1, D); separation: their bias.

        Returns hidden (B, M, D) and mask logits (B, M, h, w) of each level, and the last layer's
        output (B, M, D).
        """
        memory, positions = self._memory(features)
        sizes = [level.shape[-2:] for level in features.memory]
        hidden, pred_masks, blocked = self._predict(packed, features.mask_features, sizes[0])
        levels = [(hidden, pred_masks)]
        for index, layer in enumerate(self.decoder.layers):
            level = index % len(memory)
            packed = _decode_layer(
                layer, packed, position, memory[level], positions[level], blocked, separation
            )
            size = sizes[(index + 1) % len(sizes)]
            hidden, pred_masks, blocked = self._predict(packed, features.mask_features, size)
            levels.append((hidden, pred_masks))
        return levels, packed.transpose(0, 1)

    def _memory(self, features: PixelFeatures) -> tuple[list[Tensor], list[Tensor]]:
        """Features plus their level's embedding, and sine positions: (h·w, B, D) per level."""
        memory, positions = [], []
        for level, feature in enumerate(features.memory):
            position = self.position(feature.shape, feature.device, feature.dtype)
            memory.append(feature.flatten(2).permute(2, 0, 1) + self.level_embed.weight[level])
            positions.append(position.flatten(2).permute(2, 0, 1))
        return memory, positions

    def _predict(
        self, packed: Tensor, mask_features: Tensor, size: torch.Size
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states (B, N, D), mask logits (B, N, h, w) and the next layer's attention mask
        (True is masked out); a query with nothing left to attend to attends everywhere."""
        hidden = self.decoder.layernorm(packed)
        pred_masks, blocked = self.decoder.mask_predictor(hidden, mask_features, size)
        blocked = blocked & ~blocked.all(-1, keepdim=True)
        return hidden.transpose(0, 1), pred_masks, blocked

    def _separation(self, packing: QueryPacking, packed: Tensor) -> Tensor:
        """Self-attention bias that separates prompts: (B·heads, slots·N, slots·N), 0 or -inf."""
        other = packing.separation_mask()
        bias = packed.new_zeros(other.shape).masked_fill(other, float("-inf"))
        return bias.expand(packed.shape[1] * self.heads, -1, -1)


def _decode_layer(
    layer: Mask2FormerMaskedAttentionDecoderLayer,
    queries: Tensor,
    position: Tensor,
    memory: Tensor,
    positions: Tensor,
    blocked: Tensor,
    separation: Tensor | None,
) -> Tensor:
    """One layer: masked cross-attention, self-attention, feed-forward, each with its norm."""
    attended, _ = layer.cross_attn(
        queries + position, memory + positions, memory, attn_mask=blocked, need_weights=False
    )
    queries = layer.cross_attn_layer_norm(queries + attended)
    position = position.expand(-1, queries.shape[1], -1)
    mixed, _ = layer.self_attn(queries, position_embeddings=position, attention_mask=separation)
    queries = layer.self_attn_layer_norm(queries + mixed)
    feedforward = layer.fc2(layer.activation_fn(layer.fc1(queries)))
    output: Tensor = layer.final_layer_norm(queries + feedforward)
    return output


class MLP(nn.Module):
    """Linear layers of width ``channels`` with ReLU between them; the last maps to ``out``."""

    def __init__(self, channels: int, layers: int = 2, out: int | None = None) -> None:
        super().__init__()
        widths = [channels] * (layers - 1) + [out or channels]
        self.layers = nn.ModuleList(nn.Linear(channels, width) for width in widths)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., D) -> (..., out)."""
        for layer in self.layers[:-1]:
            inputs = torch.relu(layer(inputs))
        output: Tensor = self.layers[-1](inputs)
        return output
