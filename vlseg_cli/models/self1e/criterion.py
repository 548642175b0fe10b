"""SELF1E's losses: masks twice, after refilling and of the language model's tokens alone.

Source: SELF1E section 9.1. Unweighted; a recipe has the weights (language 1, BCE 2, dice 0.5).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.self1e.modeling import SELF1E, SELF1ELanguageOutput, SELF1EQueries
from vlseg_cli.nn.losses import mask_bce
from vlseg_cli.nn.residual_refill import mask_logits, pixel_unshuffle

_SHORTEST = 128  # px, of the shorter side of a target
_SCALE = 1000.0  # of the dice loss, as in LISA
_EPSILON = 1e-6


class MaskLosses(NamedTuple):
    """Sums over masks, divided by the number of conversations."""

    bce: Tensor
    dice: Tensor


def soft_targets(masks: Tensor) -> Tensor:
    """True masks (N, H, W) -> the same, or (N, h, w) in [0, 1] if the shorter side is over 128."""
    h, w = masks.shape[-2:]
    shorter = min(h, w)
    masks = masks.float()
    if shorter <= _SHORTEST or not len(masks):
        return masks
    size = (h * _SHORTEST // shorter, w * _SHORTEST // shorter)
    return F.interpolate(masks[None], size, mode="bilinear", align_corners=False)[0]


def mask_losses(pred_masks: Tensor, low: Tensor, targets: Sequence[Tensor]) -> MaskLosses:
    """pred_masks and low (M, h, w); targets: (N, H, W) of every conversation, N its number of
    ``[SEG]``; M is the sum of all N."""
    truth = [mask for target in targets for mask in target]
    by_size: dict[tuple[int, ...], list[int]] = {}
    for number, mask in enumerate(truth):
        by_size.setdefault(tuple(mask.shape), []).append(number)
    bce = dice = pred_masks.sum() * 0
    for size, numbers in by_size.items():
        target = torch.stack([truth[number] for number in numbers]).flatten(1)
        for maps in (pred_masks, low):
            logits = _resize(maps[numbers], size).flatten(1)
            bce = bce + mask_bce(logits, target, len(targets))
            dice = dice + scaled_dice(logits, target) / len(targets)
    return MaskLosses(bce, dice)


def low_masks(queries: SELF1EQueries) -> Tensor:
    """Masks (M, 2h, 2w) of the amplified image tokens alone, without refilling."""
    return mask_logits(pixel_unshuffle(queries.amplified), queries.queries, queries.owner)


def scaled_dice(logits: Tensor, truth: Tensor) -> Tensor:
    """(M, P) each; LISA's dice, whose sums are divided by 1000 first, summed over masks."""
    probability = logits.float().sigmoid()
    overlap = (probability * truth / _SCALE).sum(1)
    sizes = (probability / _SCALE).sum(1) + (truth / _SCALE).sum(1)
    return (1 - (2 * overlap + _EPSILON) / (sizes + _EPSILON)).sum()


def language_loss(model: SELF1E, output: SELF1ELanguageOutput) -> Tensor:
    """Mean cross entropy of the assistant's tokens."""
    is_target = output.inputs.answer[:, 1:]
    logits = model.internvl.lm_head(output.hidden[:, :-1][is_target])
    return F.cross_entropy(logits.float(), output.inputs.ids[:, 1:][is_target])


def _resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps[None], list(size), mode="bilinear", align_corners=False)[0]
