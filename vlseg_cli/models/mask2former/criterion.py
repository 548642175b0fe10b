"""Losses of masks and conditions: each level of the decoder is matched to the truth by itself.

Source: PSALM section 8. Unweighted; a recipe weights them (mask 5, dice 5, conditions 2).
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.losses import MaskSampling, balanced_bce, category_loss, dice_loss, mask_bce

MatchedLevel = dict[str, Tensor]
Pairs = Sequence[tuple[Tensor, Tensor]]  # per prompt: query and target indices


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
    costs = [
        [-row.softmax(-1)[:, label] for row, label in zip(scores, labels, strict=True)]
        for scores in output.scores
    ]

    def category(scores: Tensor, pairs: Pairs) -> Tensor:
        no_object = (~scores[:, 0].isneginf()).sum(-1) - 1  # the last name of each image's list
        target = no_object.unsqueeze(1).repeat(1, scores.shape[1])
        for row, (queries, objects) in enumerate(pairs):
            target[row, queries] = labels[row][objects]
        return category_loss(scores, target, no_object, no_object_weight)

    return _each_level(output, masks, sampling, count, costs, {"category": category})


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

    def conditions(scores: Tensor, pairs: Pairs) -> Tensor:
        target = torch.zeros_like(scores)
        for row, (queries, objects) in enumerate(pairs):
            target[row, queries, labels[row][objects]] = 1
        real = ~scores.isneginf()  # prompts with fewer regions are padded
        return balanced_bce(scores[real], target[real])

    return _each_level(output, masks, sampling, count, None, {condition: conditions})


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


def _each_level(
    output: MaskOutput,
    masks: Sequence[Tensor],
    sampling: MaskSampling,
    count: float | None,
    costs: Sequence[Sequence[Tensor]] | None,
    condition: Mapping[str, Callable[[Tensor, Pairs], Tensor]],
) -> list[MatchedLevel]:
    """Match each level, the last one first; costs: of the conditions, by level and prompt."""
    truth = [sampling.prepare(mask) for mask in masks]
    count = count or max(sum(len(mask) for mask in masks), 1)
    last = len(output.pred_masks) - 1
    levels: list[MatchedLevel] = [{} for _ in output.pred_masks]
    for level in (last, *range(last)):
        pred_masks = output.pred_masks[level]
        pairs = []
        for row, mask in enumerate(truth):
            predicted, wanted = sampling.for_matching(pred_masks[row].detach(), mask)
            pairs.append(match_masks(predicted, wanted, costs[level][row] if costs else None))
        found = {name: loss(output.scores[level], pairs) for name, loss in condition.items()}
        levels[level] = found | _mask_losses(pred_masks, truth, pairs, sampling, count)
    return levels


def _mask_losses(
    pred_masks: Tensor,
    truth: Sequence[Tensor],
    pairs: Pairs,
    sampling: MaskSampling,
    count: float,
) -> MatchedLevel:
    """Mask losses of all matched queries; one indexing for the batch makes one gradient."""
    rows = torch.cat([torch.full_like(queries, i) for i, (queries, _) in enumerate(pairs)])
    queries = torch.cat([queries for queries, _ in pairs])
    wanted = torch.cat([mask[objects] for mask, (_, objects) in zip(truth, pairs, strict=True)])
    logits, values = sampling.for_loss(pred_masks[rows, queries], wanted)
    return {"mask": mask_bce(logits, values, count), "dice": dice_loss(logits, values, count)}
