"""A decoder that answers with boxes and masks: each layer moves every query's box a little.

Queries look at four levels of memory around their boxes; what they become and where their boxes
went is handed out after every layer. The layers are transformers' Deformable DETR. Source: MVP-LM
section 6.2, ``predictor.decoder`` (OpenSeeD's, of the MaskDINO family).
"""

from typing import NamedTuple

from torch import Tensor, nn
from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrDecoderLayer

from vlseg_cli.nn.boxes import logit, sine_position
from vlseg_cli.nn.deformable import FlatMaps, deformable_config, fan_out
from vlseg_cli.nn.mask_decoder import MLP
from vlseg_cli.nn.multi_scale_decoder import LEVELS


class DecodedBoxes(NamedTuple):
    """One entry per layer: hidden (B, T, D) after the norm, boxes (B, T, 4) reported; references
    (B, T, 4): boxes that the layers looked around, the first ones before them."""

    hidden: tuple[Tensor, ...]
    boxes: tuple[Tensor, ...]
    references: tuple[Tensor, ...]


class BoxDecoder(nn.Module):
    """Deformable decoder with iterative boxes; ``box_head`` is one for all layers."""

    def __init__(self, channels: int, layers: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.channels = channels
        config = deformable_config(channels, heads, feedforward, LEVELS)
        self.layers = nn.ModuleList(DeformableDetrDecoderLayer(config) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.position = nn.Sequential(
            nn.Linear(2 * channels, channels), nn.ReLU(), nn.Linear(channels, channels)
        )
        self.box_head = MLP(channels, 3, out=4)
        for parameter in self.layers.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for layer in self.layers:
            fan_out(layer.encoder_attn)
        for parameter in self.box_head.layers[-1].parameters():
            nn.init.zeros_(parameter)  # boxes begin where they were found

    def forward(
        self, queries: Tensor, boxes: Tensor, memory: FlatMaps, blocked: Tensor | None
    ) -> DecodedBoxes:
        """queries (B, T, D), boxes (B, T, 4) logits, blocked (T, T): True where row may not see
        column."""
        arguments = memory.arguments()
        mask = None
        if blocked is not None:
            mask = queries.new_zeros(blocked.shape).masked_fill(blocked, float("-inf"))[None, None]
        reference = boxes.sigmoid()  # keeps its gradient; what layers look around has none
        hidden, found, references = [], [], [reference]
        for layer in self.layers:
            around = reference.detach()
            queries = layer(
                queries,
                object_queries_position_embeddings=self.position(
                    sine_position(around, self.channels)
                ),
                reference_points=around.unsqueeze(2).expand(-1, -1, LEVELS, -1),
                encoder_hidden_states=memory.vectors,
                attention_mask=mask,
                **arguments,
            )
            hidden.append(self.norm(queries))
            # Reported from the normed state, moved by the bare one, as the authors do.
            found.append((self.box_head(hidden[-1]) + logit(reference)).sigmoid())
            reference = (self.box_head(queries) + logit(around)).sigmoid()
            references.append(reference)
        return DecodedBoxes(tuple(hidden), tuple(found), tuple(references))
