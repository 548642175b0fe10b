"""The mask decoder: queries look at the picture through their own masks and answer with masks.

transformers' Mask2Former decoder, fed with the language model's mask tokens instead of learned
query features. Source: PSALM section 6.2, ``predictor``.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerMaskedAttentionDecoder,
    Mask2FormerSinePositionEmbedding,
)

from vlseg_cli.nn.pixel_decoder import PixelFeatures


class DecodedQueries(NamedTuple):
    """One entry per level: before the first layer, then after each; the last is the result.

    hidden: z, (B, N, D) after the decoder norm. pred_masks: logits (B, N, H/4, W/4).
    """

    hidden: tuple[Tensor, ...]
    pred_masks: tuple[Tensor, ...]


class MaskDecoder(nn.Module):
    """Masked-attention transformer decoder over three memory levels."""

    def __init__(
        self,
        channels: int,
        mask_channels: int,
        queries: int,
        layers: int,
        heads: int,
        feedforward: int,
    ) -> None:
        super().__init__()
        self.query_embed = nn.Embedding(queries, channels)
        self.level_embed = nn.Embedding(3, channels)
        self.position = Mask2FormerSinePositionEmbedding(channels // 2, normalize=True)
        self.decoder = Mask2FormerMaskedAttentionDecoder(
            Mask2FormerConfig(
                hidden_dim=channels,
                mask_feature_size=mask_channels,
                decoder_layers=layers + 1,  # transformers counts the prediction before layer 0
                num_attention_heads=heads,
                dim_feedforward=feedforward,
                dropout=0.0,
                pre_norm=False,
            )
        )
        for parameter in self.decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, queries: Tensor, features: PixelFeatures) -> DecodedQueries:
        """queries (B, N, D), features of the same B images -> DecodedQueries.

        N may be smaller than the number of learned query positions: the first N are used.
        """
        batch, count, _ = queries.shape
        memory, position = [], []
        for level, feature in enumerate(features.memory):
            where = self.position(feature.shape, feature.device, feature.dtype)
            memory.append(feature.flatten(2).permute(2, 0, 1) + self.level_embed.weight[level])
            position.append(where.flatten(2).permute(2, 0, 1))
        decoded = self.decoder(
            inputs_embeds=queries.transpose(0, 1),
            multi_stage_positional_embeddings=position,
            pixel_embeddings=features.mask_features,
            encoder_hidden_states=memory,
            query_position_embeddings=self.query_embed.weight[:count, None].expand(-1, batch, -1),
            feature_size_list=[feature.shape[-2:] for feature in features.memory],
            return_dict=True,
        )
        hidden = tuple(level.transpose(0, 1) for level in decoded.intermediate_hidden_states)
        return DecodedQueries(hidden, decoded.masks_queries_logits)


class MLP(nn.Module):
    """Linear layers with ReLU between them, all ``channels`` wide."""

    def __init__(self, channels: int, layers: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(channels, channels) for _ in range(layers))

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        for layer in self.layers[:-1]:
            inputs = torch.relu(layer(inputs))
        output: Tensor = self.layers[-1](inputs)
        return output
