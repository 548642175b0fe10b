"""What HyperSeg learns of things in two frames: their boxes, and to look alike to itself.

Source: HyperSeg section 13. Queries are matched to the truth by their last masks, as for the masks.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.batches.psalm import Prompts
from vlseg_cli.models.hyperseg import HyperSeg
from vlseg_cli.models.steps import Answered
from vlseg_cli.nn.auxiliary import boxes_of
from vlseg_cli.nn.boxes import box_iou
from vlseg_cli.nn.instance_contrast import claim, instance_contrast
from vlseg_cli.nn.instance_heads import Identified
from vlseg_cli.nn.mask_sampling import MaskSampling
from vlseg_cli.nn.matcher import match

_POSITIVES, _CANDIDATES = 10, 30


class Recognised(NamedTuple):
    """The things of one moment. Per clip: queries (M,) that show them, things (M,) their
    identities, boxes (M, 4) and labels (M,) the truth; class_logits (B, N, K)."""

    identified: Identified
    class_logits: Tensor
    queries: list[Tensor]
    things: list[Tensor]
    boxes: list[Tensor]
    labels: list[Tensor]


def recognise(
    model: HyperSeg,
    answered: Answered,
    prompts: Prompts,
    things: Sequence[Tensor],
    sampling: MaskSampling,
) -> Recognised:
    """Which queries show which things; stuff (identity -1) is left out."""
    logits, scores = answered.pred_masks[-1], answered.scores[-1]
    found = Recognised(model.identify(answered), scores, [], [], [], [])
    for row, truth in enumerate(prompts.truth):
        labels, identity = prompts.labels[row], things[int(prompts.pictures[row])]
        predicted, wanted = sampling.for_matching(logits[row].detach(), truth)
        queries, objects = match(predicted, wanted, -scores[row].detach().softmax(-1)[:, labels])
        kept = identity[objects] >= 0
        queries, objects = queries[kept], objects[kept]
        found.queries.append(queries)
        found.things.append(identity[objects])
        found.boxes.append(boxes_of(truth[objects]))
        found.labels.append(labels[objects])
    return found


def box_loss(found: Recognised) -> Tensor:
    """Mean absolute error and generalised IoU of the boxes of all things shown."""
    predicted = [found.identified.boxes[row, queries] for row, queries in enumerate(found.queries)]
    boxes, true = torch.cat(predicted).float(), torch.cat(found.boxes)
    if not len(true):
        return boxes.sum()
    _, giou = box_iou(boxes, true)
    return F.l1_loss(boxes, true) + (1 - giou.diagonal()).mean()


def contrast_losses(before: Recognised, now: Recognised) -> tuple[Tensor, Tensor]:
    """Things seen in both moments: the contrastive loss and its cosine companion, each a mean."""
    every, alike = [], []
    for row, known in enumerate(before.things):
        here = (known.unsqueeze(1) == now.things[row].unsqueeze(0)).nonzero()
        if not len(here):
            continue
        then, there = here.unbind(1)
        key = before.identified.embeddings[row, before.queries[row][then]].float()
        seen, boxes = now.identified.embeddings[row].float(), now.identified.boxes[row].float()
        truth, labels = now.boxes[row][there], now.labels[row][there]
        logits = now.class_logits[row]
        positive = claim(boxes, logits, truth, labels, _POSITIVES)
        candidates = claim(boxes, logits, truth, labels, _CANDIDATES)
        value = instance_contrast(key, seen, positive, candidates)
        every.append(value.contrast)
        alike.append(value.alike)
    if not every:
        nothing = now.identified.embeddings.sum() * 0
        return nothing, nothing
    return torch.cat(every).mean(), torch.stack(alike).mean()
