"""Denoising: true boxes, shaken, are put before the queries, and must find back what they are.

Steadies the first steps of training, when matching is still arbitrary; inference has none. Source:
MVP-LM section 9 (MaskDINO's 'seg' denoising: no negative groups, no false labels).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vlseg_cli.nn.boxes import logit

_SHAKE = 0.4  # of half a side for the center, of a side for the size


@dataclass(frozen=True, slots=True, eq=False)
class DenoisingQueries:
    """queries (P, G·M, D) and boxes (P, G·M, 4) as logits: G groups of M true objects each.

    real (P, M): rows of fewer objects are padded.
    """

    queries: Tensor
    boxes: Tensor
    groups: int
    real: Tensor

    def blocked(self, count: int) -> Tensor:
        """(count, count) bool, True where row may not see column: groups keep apart, and the
        ordinary queries after them see none; they themselves see the ordinary ones."""
        group = torch.arange(count, device=self.boxes.device) // self.real.shape[1]
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
    """Denoising queries of P prompts; None if there is no object, or too many for one group.

    conditions (P, K, D): embeddings of the words. boxes: per prompt (M, 4) cx, cy, w, h; labels:
    per prompt (M,). number: how many queries at most. noise (P, G·M, 4) in [0, 1): drawn if None.
    """
    most = max(len(each) for each in boxes)
    groups = number // most if most else 0
    if not groups:
        return None
    true_boxes = conditions.new_full((len(boxes), most, 4), 0.5)
    content = conditions.new_zeros(len(boxes), most, conditions.shape[-1])
    real = torch.zeros(len(boxes), most, dtype=torch.bool, device=conditions.device)
    for row, (each, label) in enumerate(zip(boxes, labels, strict=True)):
        real[row, : len(each)] = True
        true_boxes[row, : len(each)] = each.to(conditions.dtype)
        content[row, : len(each)] = conditions[row, label]
    true_boxes, content = true_boxes.repeat(1, groups, 1), content.repeat(1, groups, 1)
    if noise is None:
        noise = torch.rand_like(true_boxes)
    sides = true_boxes[..., 2:]
    reach = torch.cat([sides / 2, sides], -1) * _SHAKE
    shaken = (true_boxes + (2 * noise - 1) * reach).clamp(0, 1)
    return DenoisingQueries(content, logit(shaken), groups, real)
