"""DINOv2 and SAM as LLM-Seg's authors use them: both networks, and how everything is segmented.

They are recorded apart, with sizes of their own, which are those of their weights.
"""

from collections.abc import Callable
from functools import partial

import torch
from parity.golden import Golden
from parity.llmseg_golden import POOLED, ROUNDING, counted

from vlseg_cli.models.hrseg.conversion import dinov2_rules
from vlseg_cli.models.image_processing import longest_side
from vlseg_cli.models.proposals.conversion import official_sam_sizes, sam_rules
from vlseg_cli.models.proposals.filters import (
    filter_iou,
    filter_stability,
    nms,
    point_grid,
    take,
    to_input,
)
from vlseg_cli.nn.dinov2 import DINOv2
from vlseg_cli.nn.sam import SAM

_DINO_HEADS, _SAM_DECODER_HEADS = 4, 2  # what the layout states beside the files
_FRAME = 1024  # px: side of SAM's input, in which points are given
_POINTS, _SCORES = 1e-9, 1e-6


def encoder_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Each raises WeightsError."""
    return {
        "dinov2": partial(_dinov2, golden),
        "sam": partial(_sam, golden),
        "everything": partial(_everything, golden),
    }


@torch.no_grad()
def _dinov2(golden: Golden) -> None:
    """At the size of its table of positions, and at another."""
    width, _, patch, _ = golden["dino/w/patch_embed.proj.weight"].shape
    native = patch * round((golden["dino/w/pos_embed"].shape[1] - 1) ** 0.5)
    layers = counted(golden, "dino/w/blocks.")
    dino = DINOv2(width, layers, _DINO_HEADS, patch, native).eval()
    golden.fill(dino, dinov2_rules("", "model."), "dino/w/")
    for name in ("native", "interp"):
        tokens = dino(golden[f"dino/in/pixels_{name}"])
        golden.close(f"dino/out/patch_{name}", tokens.flatten(1, 2), ROUNDING)


@torch.no_grad()
def _sam(golden: Golden) -> None:
    """A picture, and the guesses at each point."""
    sam = SAM(official_sam_sizes(golden.weights("sam/w/"), _SAM_DECODER_HEADS)).eval()
    golden.fill(sam, sam_rules("", "model."), "sam/w/")
    features = sam.encode_image(golden["sam/in/pixel_values"])
    golden.close("sam/out/image_embeddings", features, POOLED)
    logits, iou = sam.masks_at(features, golden["sam/in/points"][:, 0])
    golden.close("sam/out/low_res_logits", logits, POOLED)
    golden.close("sam/out/iou_predictions", iou, POOLED)


def _everything(golden: Golden) -> None:
    """From given guesses to those that are kept, in their order."""
    logits, iou = golden["amg/in/logits"], golden["amg/in/iou_preds"]
    height, width = golden["amg/in/size"].tolist()
    grid = point_grid(round(len(logits) ** 0.5)) * torch.tensor([width, height])
    content = longest_side(height, width, _FRAME)
    prompts = to_input(grid, (height, width), content)
    golden.close("amg/out/point_prompts", prompts, _POINTS)
    good = filter_iou(iou).flatten()
    points = grid.repeat_interleave(iou.shape[1], 0)[good]
    stable = filter_stability(logits.flatten(0, 1)[good], iou.flatten()[good], points)
    found = take(stable, nms(stable.boxes, stable.iou))
    corner, far = found.boxes[:, :2], found.boxes[:, 2:]
    golden.close("amg/out/masks", found.masks.byte(), 0)
    golden.close("amg/out/area", found.masks.sum((1, 2)).double(), 0)
    golden.close("amg/out/bbox_xywh", torch.cat([corner, far - corner], 1).double(), 0)
    golden.close("amg/out/predicted_iou", found.iou.double(), _SCORES)
    golden.close("amg/out/stability_score", found.stability.double(), _SCORES)
    golden.close("amg/out/point_coords", found.points, _POINTS)
