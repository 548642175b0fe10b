"""MVP-LM's matching and losses: conditions, masks and boxes of every decoder level.

Source: MVP-LM section 9. Unweighted; a recipe has the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.mvp_lm.modeling import DecoderLevel, MVPLMMaskOutput, MVPLMQueries
from vlseg_cli.nn.boxes import cxcywh_to_xyxy, generalized_iou
from vlseg_cli.nn.hungarian_matcher import (
    box_cost,
    hungarian_assignment,
    mask_cost,
    mean_stuff_cost,
    separate_stuff_cost,
)
from vlseg_cli.nn.losses import MaskSampling, balanced_bce, category_loss, dice_loss, mask_bce
from vlseg_cli.nn.mask_dino import DenoisingQueries
from vlseg_cli.text.placeholders import ConditionKind

Losses = dict[str, Tensor]
Pairs = list[tuple[Tensor, Tensor]]  # per prompt: query and target indices

_CLASS, _MASK, _DICE = 2.0, 5.0, 5.0  # of the matching costs


@dataclass(frozen=True, slots=True, eq=False)
class BoxTargets:
    """Ground truth of one prompt: labels (M,) of the names (0 for a sentence), boxes (M, 4) as cx,
    cy, w, h in [0, 1], is_thing (M,) bool, masks (M, …) as the sampling prepares them, or None
    where only boxes are known."""

    labels: Tensor
    boxes: Tensor
    is_thing: Tensor
    masks: Tensor | None


class TargetCounts(NamedTuple):
    """Denominators of the losses: objects of the batch, and those of them with masks."""

    objects: float
    masks: float


def count_targets(targets: Sequence[BoxTargets]) -> tuple[int, int]:
    """Objects and masks of a batch."""
    masks = [0 if one.masks is None else len(one.masks) for one in targets]
    return sum(len(one.boxes) for one in targets), sum(masks)


def match_level(
    level: DecoderLevel,
    targets: Sequence[BoxTargets],
    kind: ConditionKind,
    sampling: MaskSampling,
    selected: int | None = None,
) -> Pairs:
    """The cheapest assignment per prompt. selected: number of queries before stuff queries."""
    pairs = []
    for row, one in enumerate(targets):
        cost = box_cost(level.boxes[row], one.boxes)
        if selected is not None:
            cost = mean_stuff_cost(cost, one.is_thing)
        if kind is ConditionKind.CATEGORY:
            cost = cost - _CLASS * level.scores[row].detach().softmax(-1)[:, one.labels]
        if one.masks is not None:
            predicted, target = sampling.for_matching(level.pred_masks[row].detach(), one.masks)
            cost = cost + mask_cost(predicted, target, _MASK, _DICE)
        if selected is not None:
            cost = separate_stuff_cost(cost, one.is_thing, selected)
        pairs.append(hungarian_assignment(cost))
    return pairs


def level_losses(
    level: DecoderLevel,
    targets: Sequence[BoxTargets],
    pairs: Pairs,
    kind: ConditionKind,
    sampling: MaskSampling,
    counts: TargetCounts,
    no_object_weight: float = 0.1,
) -> Losses:
    """Keys: the kind's own, box, giou, and mask and dice if any masks are known.

    Box losses are of things only: a stuff box depends on what covers it.
    """
    if kind is ConditionKind.CATEGORY:
        no_object = (~level.scores[:, 0].isneginf()).sum(-1) - 1  # the last condition of a prompt
        target = no_object.unsqueeze(1).repeat(1, level.scores.shape[1])
        for row, (queries, objects) in enumerate(pairs):
            target[row, queries] = targets[row].labels[objects]
        condition = category_loss(level.scores, target, no_object, no_object_weight)
    else:
        wanted = torch.zeros_like(level.scores[..., 0])
        wanted[_matched(pairs)] = 1
        condition = balanced_bce(level.scores[..., 0], wanted)
    losses = {kind.value: condition, **_box_losses(level, targets, pairs, counts.objects)}
    return losses | _mask_losses(level, targets, pairs, sampling, counts.masks)


def denoised_losses(
    level: DecoderLevel,
    noise: DenoisingQueries,
    targets: Sequence[BoxTargets],
    sampling: MaskSampling,
    counts: TargetCounts,
) -> Losses:
    """The same for denoising queries, whose target is known."""
    pairs = denoised_pairs(noise)
    rows, queries = _matched(pairs)
    labels = torch.cat([targets[i].labels[objects] for i, (_, objects) in enumerate(pairs)])
    shared = TargetCounts(counts.objects * noise.groups, counts.masks * noise.groups)
    return {
        ConditionKind.CATEGORY.value: F.cross_entropy(level.scores[rows, queries].float(), labels),
        **_box_losses(level, targets, pairs, shared.objects),
        **_mask_losses(level, targets, pairs, sampling, shared.masks),
    }


def denoised_pairs(noise: DenoisingQueries) -> Pairs:
    """Denoising query and target indices per prompt."""
    most = noise.valid.shape[1]
    first = torch.arange(noise.groups, device=noise.valid.device).unsqueeze(1) * most
    pairs = []
    for real in noise.valid:
        objects = real.nonzero()[:, 0]
        pairs.append(((first + objects).flatten(), objects.repeat(noise.groups)))
    return pairs


def all_losses(
    output: MVPLMMaskOutput,
    noise: DenoisingQueries | None,
    targets: Sequence[BoxTargets],
    kind: ConditionKind,
    sampling: MaskSampling,
    counts: TargetCounts,
    selected: int | None = None,
    no_object_weight: float = 0.1,
) -> list[Losses]:
    """Losses of every level, the initial one and the denoised ones included."""
    assert output.initial is not None, "training needs all levels"
    stages = []
    for level in (*output.levels, output.initial):
        pairs = match_level(level, targets, kind, sampling, selected)
        stages.append(level_losses(level, targets, pairs, kind, sampling, counts, no_object_weight))
    if noise is not None:
        stages += [
            denoised_losses(level, noise, targets, sampling, counts) for level in output.denoised
        ]
    return stages


def _matched(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Rows and queries of all pairs, flat: one gather instead of one per prompt."""
    rows = torch.cat([torch.full_like(queries, i) for i, (queries, _) in enumerate(pairs)])
    return rows, torch.cat([queries for queries, _ in pairs])


def _box_losses(
    level: DecoderLevel, targets: Sequence[BoxTargets], pairs: Pairs, objects: float
) -> Losses:
    rows, queries = _matched(pairs)
    found = level.boxes[rows, queries].float()
    wanted = torch.cat([one.boxes[i] for one, (_, i) in zip(targets, pairs, strict=True)])
    things = torch.cat([one.is_thing[i] for one, (_, i) in zip(targets, pairs, strict=True)])
    found, wanted = found[things], wanted[things].float()
    overlap = generalized_iou(cxcywh_to_xyxy(found), cxcywh_to_xyxy(wanted))
    return {
        "box": (found - wanted).abs().sum() / objects,
        "giou": (1 - overlap).sum() / objects,
    }


def _mask_losses(
    level: DecoderLevel,
    targets: Sequence[BoxTargets],
    pairs: Pairs,
    sampling: MaskSampling,
    masks: float,
) -> Losses:
    known = [i for i, one in enumerate(targets) if one.masks is not None]
    if not known:
        return {}
    rows = torch.cat([torch.full_like(pairs[i][0], i) for i in known])
    queries = torch.cat([pairs[i][0] for i in known])
    wanted = torch.cat([m[pairs[i][1]] for i in known if (m := targets[i].masks) is not None])
    logits, values = sampling.for_loss(level.pred_masks[rows, queries], wanted)
    return {"mask": mask_bce(logits, values, masks), "dice": dice_loss(logits, values, masks)}


def selection_loss(
    projected: Tensor,
    valid: Tensor,
    memory: Sequence[Tensor],
    queries: MVPLMQueries,
    targets: Sequence[BoxTargets],
) -> Tensor:
    """Auxiliary, not in the paper: classify every memory location as inside a target or not.

    projected (P, S, D): locations in the space of the conditions; valid (S,) bool: candidates;
    memory: its levels. Balanced cross entropy, 0 if no masks are known.
    """
    logits = projected @ queries.conditions.transpose(1, 2)
    inside = torch.zeros_like(logits, dtype=torch.float)
    known = torch.zeros_like(logits, dtype=torch.bool)
    for row, one in enumerate(targets):
        if one.masks is None:
            continue
        known[row] = valid.unsqueeze(1) & queries.present[row]
        cells = [
            F.adaptive_avg_pool2d(one.masks, (level.shape[-2], level.shape[-1])).flatten(1)
            for level in memory
        ]
        for label, mask in zip(one.labels.tolist(), torch.cat(cells, 1) > 0.5, strict=True):
            inside[row, mask, label] = 1
    if not known.any():
        return logits.sum() * 0
    return balanced_bce(logits[known], inside[known])
