"""MaskDINO's queries as MVP-LM uses them: selected by language, denoised, decoded with their boxes.

Two-stage selection compares every location of the memory with the conditions (MVP-LM section 5,
paper 3.1); the decoder refines a box per layer (6.2, OpenSeeD's); denoising queries are noisy true
boxes that steady early training (section 9: no negative groups, no false labels).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrDecoderLayer

from vlseg_cli.nn.boxes import box_logits, sine_position
from vlseg_cli.nn.deformable import (
    FlatMaps,
    cell_centers,
    deformable_config,
    init_deformable_attention,
)
from vlseg_cli.nn.mask_decoder import MLP
from vlseg_cli.nn.pixel_decoder import MASK_DINO_LEVELS

_SMALLEST_BOX = 0.05  # side of a proposal on the first level, as a fraction of the image
_MARGIN = 0.01  # proposals nearer to the border are not valid
_CHUNK = 256  # conditions compared at once: bounds the memory for thousands of names


class Candidates(NamedTuple):
    """features (B, S, D); proposals (S, 4) logits of cx, cy, w, h, infinite where not valid."""

    features: Tensor
    proposals: Tensor


class QuerySelection(nn.Module):
    """Projects the memory to candidates for queries."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, memory: FlatMaps) -> Candidates:
        """All S locations of all levels, in the memory's order."""
        boxes = grid_proposals(memory).to(memory.vectors.dtype)
        valid = boxes.isfinite().all(-1, keepdim=True)
        return Candidates(self.norm(self.project(memory.vectors * valid)), boxes)


def grid_proposals(memory: FlatMaps) -> Tensor:
    """(S, 4): a box at each location as logits; its side doubles from level to level."""
    levels = []
    for level, size in enumerate(memory.sizes):
        centers = cell_centers(size, memory.vectors.device)
        levels.append(torch.cat([centers, torch.full_like(centers, _SMALLEST_BOX * 2**level)], -1))
    boxes = torch.cat(levels)
    valid = ((boxes > _MARGIN) & (boxes < 1 - _MARGIN)).all(-1, keepdim=True)
    return torch.logit(boxes).masked_fill(~valid, float("inf"))


@torch.no_grad()
def select_queries(
    candidates: Candidates,
    projected: Tensor,
    image_index: Tensor,
    conditions: Iterable[Tensor],
    count: int,
) -> Tensor:
    """Locations of the ``count`` best candidates of each prompt, best first: (P, N).

    projected (B, S, D): candidate features in the space of the conditions. conditions: per prompt
    (K, D), without background; a candidate's score is that of its most similar condition.
    """
    valid = candidates.proposals.isfinite().all(-1)
    chosen = []
    for image, each in zip(image_index.tolist(), conditions, strict=True):
        best = best_similarity(projected[image], each).masked_fill(~valid, float("-inf"))
        chosen.append(best.topk(count).indices)
    return torch.stack(chosen)


def best_similarity(projected: Tensor, conditions: Tensor) -> Tensor:
    """(S, D), (K, D) -> (S,): the largest dot product with any condition."""
    best = [(projected @ chunk.T).amax(1) for chunk in torch.split(conditions, _CHUNK)]
    return torch.stack(best).amax(0)


def gather_locations(values: Tensor, image_index: Tensor, locations: Tensor) -> Tensor:
    """values (B, S, D) at the locations (P, N) of each prompt's image -> (P, N, D)."""
    return values[image_index.unsqueeze(1), locations]


class DecodedBoxes(NamedTuple):
    """One entry per layer: hidden (B, N, D) after the norm, boxes (B, N, 4) predicted; references
    (B, N, 4): the reference boxes of the layers, initial ones first."""

    hidden: tuple[Tensor, ...]
    boxes: tuple[Tensor, ...]
    references: tuple[Tensor, ...]


class BoxDecoder(nn.Module):
    """Deformable decoder with iterative box refinement; ``box_head`` is shared by all layers."""

    def __init__(self, channels: int, layers: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.channels = channels
        config = deformable_config(channels, heads, feedforward, MASK_DINO_LEVELS)
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
            init_deformable_attention(layer.encoder_attn)
        for parameter in self.box_head.layers[-1].parameters():
            nn.init.zeros_(parameter)  # boxes start as the selected proposals

    def forward(
        self, queries: Tensor, boxes: Tensor, memory: FlatMaps, blocked: Tensor | None
    ) -> DecodedBoxes:
        """queries (B, N, D), boxes (B, N, 4) logits, blocked (N, N): True where the row may not
        attend to the column."""
        arguments = memory.layer_arguments()
        mask = None
        if blocked is not None:
            mask = queries.new_zeros(blocked.shape).masked_fill(blocked, float("-inf"))[None, None]
        reference = boxes.sigmoid()  # keeps its gradient; the layers' reference points have none
        hidden, found, references = [], [], [reference]
        for layer in self.layers:
            around = reference.detach()
            queries = layer(
                queries,
                object_queries_position_embeddings=self.position(
                    sine_position(around, self.channels)
                ),
                reference_points=around.unsqueeze(2).expand(-1, -1, MASK_DINO_LEVELS, -1),
                encoder_hidden_states=memory.vectors,
                attention_mask=mask,
                **arguments,
            )
            hidden.append(self.norm(queries))
            # Predicted from the normed state, refined from the other, as in the authors' code.
            found.append((self.box_head(hidden[-1]) + box_logits(reference)).sigmoid())
            reference = (self.box_head(queries) + box_logits(around)).sigmoid()
            references.append(reference)
        return DecodedBoxes(tuple(hidden), tuple(found), tuple(references))


_NOISE_SCALE = 0.4  # of half a side for the center, of a side for the size


@dataclass(frozen=True, slots=True, eq=False)
class DenoisingQueries:
    """queries (P, G·M, D) and boxes (P, G·M, 4) as logits: G groups of M true objects each.

    valid (P, M) bool: False at the padding of prompts with fewer objects.
    """

    queries: Tensor
    boxes: Tensor
    groups: int
    valid: Tensor

    def attention_mask(self, count: int) -> Tensor:
        """(count, count) bool, True where the row may not attend to the column: a denoising group
        attends to itself and to the ordinary queries after it, those only to each other."""
        group = torch.arange(count, device=self.boxes.device) // self.valid.shape[1]
        group = group.clamp(max=self.groups)  # the ordinary queries are one more group
        other = group.unsqueeze(1) != group.unsqueeze(0)
        return other & (group < self.groups).unsqueeze(0)


def denoising_queries(
    conditions: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    number: int,
    noise: Tensor | None = None,
) -> DenoisingQueries | None:
    """Denoising queries of P prompts; None without objects or with too many for one group.

    conditions (P, K, D): condition embeddings. boxes: per prompt (M, 4) cx, cy, w, h; labels: per
    prompt (M,). number: maximal number of queries. noise (P, G·M, 4) in [0, 1): drawn if None.
    """
    most = max(len(each) for each in boxes)
    groups = number // most if most else 0
    if not groups:
        return None
    true_boxes = conditions.new_full((len(boxes), most, 4), 0.5)
    content = conditions.new_zeros(len(boxes), most, conditions.shape[-1])
    valid = torch.zeros(len(boxes), most, dtype=torch.bool, device=conditions.device)
    for row, (each, label) in enumerate(zip(boxes, labels, strict=True)):
        valid[row, : len(each)] = True
        true_boxes[row, : len(each)] = each.to(conditions.dtype)
        content[row, : len(each)] = conditions[row, label]
    true_boxes, content = true_boxes.repeat(1, groups, 1), content.repeat(1, groups, 1)
    if noise is None:
        noise = torch.rand_like(true_boxes)
    sides = true_boxes[..., 2:]
    amplitude = torch.cat([sides / 2, sides], -1) * _NOISE_SCALE
    noisy = (true_boxes + (2 * noise - 1) * amplitude).clamp(0, 1)
    return DenoisingQueries(content, box_logits(noisy), groups, valid)
