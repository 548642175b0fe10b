"""LLM-Seg's dealings with proposals, no network in them: soft masks, targets, rules of choice.

The figures of the rules are added up here as the authors' meter adds them; a rule whose answers
are not recorded is known by them alone.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from parity.golden import Golden
from parity.llmseg_golden import ROUNDING, pictures_of
from torch import Tensor

from vlseg_cli.models.hrseg.image_processing import soft_masks
from vlseg_cli.models.hrseg.postprocessing import nearest
from vlseg_cli.models.hrseg.selection import Selection, select
from vlseg_cli.models.hrseg.targets import targets_of
from vlseg_cli.schema import WeightsError

IGNORED = 255  # of a truth: counts neither way
_SQUARE = 1024  # px: answers that are not recorded were measured at SAM's size
_MEAN_EPSILON, _SUM_EPSILON = 1e-5, 1e-10  # of their meter
_TARGETS, _FIGURES = 1e-12, 1e-6  # both are float64 there


def choosing_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Each raises WeightsError."""
    return {
        "soft masks": partial(_soft_masks, golden),
        "targets": partial(_targets, golden),
        "selection": partial(_selection, golden),
    }


class Choice(NamedTuple):
    """A rule's answer to one picture (H, W), and the truth there with ``IGNORED`` in it."""

    mask: NDArray[np.bool_]
    truth: NDArray[np.uint8]


def rules_of(golden: Golden) -> list[str]:
    """The names of the rules in the file, as 'top5_and_iop_0.7'."""
    return sorted({n.split("/")[2] for n in golden.tensors if n.startswith("sel/out/")})


def choices(golden: Golden, rule: str) -> Iterator[Choice]:
    """What a rule answers to each picture, on the grid on which they measured it."""
    for b in pictures_of(golden):
        truth = golden[f"sel/in/gt_{b}"].numpy()
        similarity, iop = (golden[f"sel/in/{kind}_{b}"][0] for kind in ("similarity", "iop"))
        chosen = select(similarity, iop, _selection_of(rule)).numpy()
        union = golden[f"in/proposals_{b}"].bool().numpy()[chosen].any(0, keepdims=True)
        if not _is_recorded(golden, rule, b):
            truth = nearest(truth, _SQUARE, _SQUARE)
        yield Choice(nearest(union, *truth.shape[1:])[0], truth[0])


def _is_recorded(golden: Golden, rule: str, picture: int) -> bool:
    return f"sel/out/{rule}/pred_{picture}" in golden.tensors


def _selection_of(rule: str) -> Selection:
    """From their name. Raises WeightsError for one that we have no rule for."""
    *_, last = rule.split("_")
    if rule.startswith("iop_gt_"):
        return Selection("iop", 0, float(last), "nothing")
    if rule.startswith("top1_union_iop_"):
        return Selection("top1_or_iop", 1, float(last), "nothing")
    if "_and_iop_" in rule:
        return Selection("topk_and_iop", int(rule.split("_")[0][3:]), float(last), "nothing")
    if rule == "top1_sim":
        return Selection("top1_similarity", 1, 0.0, "nothing")
    raise WeightsError(f"a golden file of LLM-Seg chooses by {rule!r}, which is no rule of ours")


def _soft_masks(golden: Golden) -> None:
    """Anti-aliased for the first picture alone, as their data sets differ in it."""
    for b in pictures_of(golden):
        name, proposals = f"out/soft_masks_256_{b}", golden[f"in/proposals_{b}"].bool().numpy()
        golden.close(name, soft_masks(proposals, golden[name].shape[-1], b == 0), ROUNDING)


def _targets(golden: Golden) -> None:
    for b in pictures_of(golden):
        truth, proposals = (golden[f"in/{n}_{b}"].bool().numpy() for n in ("gt", "proposals"))
        targets = targets_of(truth, proposals)
        golden.close(f"out/gt_iou_{b}", torch.from_numpy(targets.iou), _TARGETS)
        golden.close(f"out/gt_iop_{b}", torch.from_numpy(targets.iop), _TARGETS)


def _selection(golden: Golden) -> None:
    for rule in rules_of(golden):
        chosen = list(choices(golden, rule))
        for b, (mask, _) in enumerate(chosen):
            if _is_recorded(golden, rule, b):
                ours = torch.from_numpy(mask)[None].byte()
                golden.close(f"sel/out/{rule}/pred_{b}", ours, ROUNDING)
        golden.close(f"sel/out/{rule}/metrics", _figures(chosen), _FIGURES)


def _figures(chosen: list[Choice]) -> Tensor:
    """gIoU and cIoU, in float64."""
    ious, shared, joined = [], 0, 0
    for mask, truth in chosen:
        both = int((mask & (truth == 1)).sum())
        either = int(((mask | (truth == 1)) & (truth != IGNORED)).sum())
        ious.append(both / (either + _MEAN_EPSILON) if either else 1.0)
        shared, joined = shared + both, joined + either
    giou, ciou = sum(ious) / (len(ious) + _MEAN_EPSILON), shared / (joined + _SUM_EPSILON)
    return torch.tensor([giou, ciou], dtype=torch.float64)
