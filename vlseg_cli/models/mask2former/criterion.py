"""Losses of masks and conditions: each level of the decoder is matched to the truth by itself.

Source: PSALM section 8. Unweighted; a recipe weights them (mask 5, dice 5, conditions 2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.losses import MaskSampling, balanced_bce, category_loss, dice_loss, mask_bce

MatchedLevel = dict[str, Tensor]


def category_losses(
    output: MaskOutput,
    masks: Sequence[Tensor],
    labels: Sequence[Tensor],
    sampling: MaskSampling,
    no_object_weight: float = 0.1,
    count: float | None = None,
) -> list[MatchedLevel]:
    """Losses per level, keys category, mask, dice.

    masks: per image (M, H, W); labels: per image (M,) indices into its names. count: divisor of
    the sums over masks, None for their number here. Points of the last level are drawn first, then
    those of the others in order, as the authors do.
    """
    truth = [sampling.prepare(mask) for mask in masks]
    count = count or max(sum(len(mask) for mask in masks), 1)
    levels: list[MatchedLevel] = [{} for _ in output.pred_masks]
    for level in _last_first(len(levels)):
        scores, pred_masks = output.scores[level], output.pred_masks[level]
        cost = [-row.softmax(-1)[:, label] for row, label in zip(scores, labels, strict=True)]
        pairs = _match_each(pred_masks, truth, sampling, cost)
        no_object = scores[:, 0].isfinite().sum(-1) - 1  # the last name of each image's own list
        target = no_object.unsqueeze(1).repeat(1, scores.shape[1])
        for row, (queries, objects) in enumerate(pairs):
            target[row, queries] = labels[row][objects]
        levels[level] = {
            "category": category_loss(scores, target, no_object, no_object_weight),
            **_mask_losses(pred_masks, truth, pairs, sampling, count),
        }
    return levels


def condition_losses(
    output: MaskOutput,
    masks: Sequence[Tensor],
    labels: Sequence[Tensor],
    sampling: MaskSampling,
    condition: str,
    count: float | None = None,
) -> list[MatchedLevel]:
    """Losses per level for sentences or regions, keys ``condition``, mask, dice.

    masks: per prompt (M, H, W); labels: per prompt (M,), the region whose object a mask is, or 0
    for a sentence, whose masks all belong to it.
    """
    truth = [sampling.prepare(mask) for mask in masks]
    count = count or max(sum(len(mask) for mask in masks), 1)
    levels: list[MatchedLevel] = [{} for _ in output.pred_masks]
    for level in _last_first(len(levels)):
        scores, pred_masks = output.scores[level], output.pred_masks[level]
        pairs = _match_each(pred_masks, truth, sampling, None)
        target = torch.zeros_like(scores)
        for row, (queries, objects) in enumerate(pairs):
            target[row, queries, labels[row][objects]] = 1
        real = scores.isfinite()  # prompts with fewer regions are padded
        levels[level] = {
            condition: balanced_bce(scores[real], target[real]),
            **_mask_losses(pred_masks, truth, pairs, sampling, count),
        }
    return levels


def averaged_counts(counts: Sequence[int]) -> list[float]:
    """Numbers of true masks by kind, each the mean over all processes and at least 1.

    Every process must call it equally often; a process alone keeps its own.
    """
    total = torch.tensor([float(count) for count in counts])
    if torch.distributed.is_initialized():
        if torch.distributed.get_backend() == "nccl":
            total = total.cuda()
        torch.distributed.all_reduce(total)
        total = total / torch.distributed.get_world_size()
    return [max(count, 1.0) for count in total.tolist()]


def _last_first(levels: int) -> list[int]:
    return [levels - 1, *range(levels - 1)]


def _match_each(
    pred_masks: Tensor,
    truth: Sequence[Tensor],
    sampling: MaskSampling,
    cost: Sequence[Tensor] | None,
) -> list[tuple[Tensor, Tensor]]:
    pairs = []
    for row, mask in enumerate(truth):
        predicted, wanted = sampling.for_matching(pred_masks[row].detach(), mask)
        pairs.append(match_masks(predicted, wanted, None if cost is None else cost[row]))
    return pairs


def _mask_losses(
    pred_masks: Tensor,
    truth: Sequence[Tensor],
    pairs: Sequence[tuple[Tensor, Tensor]],
    sampling: MaskSampling,
    count: float,
) -> MatchedLevel:
    """Mask losses of all matched queries; one indexing for the batch makes one gradient."""
    rows = torch.cat([torch.full_like(queries, i) for i, (queries, _) in enumerate(pairs)])
    queries = torch.cat([queries for queries, _ in pairs])
    wanted = torch.cat([mask[objects] for mask, (_, objects) in zip(truth, pairs, strict=True)])
    logits, values = sampling.for_loss(pred_masks[rows, queries], wanted)
    return {"mask": mask_bce(logits, values, count), "dice": dice_loss(logits, values, count)}
