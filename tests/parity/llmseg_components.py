"""Components of LLM-Seg that are recorded alone: encoders, mask generation, selection, tokens.

DINOv2 and SAM have sizes of their own, those of their weights. The tokenizer is in the golden file,
both as sentencepiece and as the Rust library write it.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from parity.golden import Golden
from parity.llmseg_golden import POOLED, ROUNDING, counted, image_range
from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.hrseg.conversion import dinov2_rules
from vlseg_cli.models.hrseg.criterion import proposal_targets
from vlseg_cli.models.hrseg.image_processing import soft_masks
from vlseg_cli.models.hrseg.postprocessing import Selection, resize_nearest, select
from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts
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
from vlseg_cli.nn.sam import SAM
from vlseg_cli.nn.vision_encoders import DINOv2
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import IMAGE, IMAGE_END, IMAGE_START, Placeholder, legacy_ids
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.conversion.tokenizer import parse_sentencepiece_model

_DINO_HEADS, _SAM_DECODER_HEADS = 4, 2  # what the layout states beside the files
_FRAME = 1024  # px: side of SAM's input, in which points are given
_POINTS, _SCORES = 1e-9, 1e-6


def encoder_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Each raises WeightsError."""
    return {
        "dinov2": partial(_dinov2, golden),
        "sam": partial(_sam, golden),
        "mask generation": partial(_mask_generation, golden),
    }


@torch.no_grad()
def _dinov2(golden: Golden) -> None:
    """At the size of its table of positions, and at another."""
    width, _, patch, _ = golden["dino/w/patch_embed.proj.weight"].shape
    native = patch * round((golden["dino/w/pos_embed"].shape[1] - 1) ** 0.5)
    layers = counted(golden, "dino/w/blocks.")
    dino = DINOv2(width=width, layers=layers, heads=_DINO_HEADS, patch=patch, native=native).eval()
    golden.fill(dino, dinov2_rules("", "model."), "dino/w/")
    for name in ("native", "interp"):
        tokens = dino(golden[f"dino/in/pixels_{name}"])
        golden.close(f"dino/out/patch_{name}", tokens.flatten(1, 2), ROUNDING)


@torch.no_grad()
def _sam(golden: Golden) -> None:
    """Image features, and the masks at each point."""
    sam = SAM(official_sam_sizes(golden.weights("sam/w/"), _SAM_DECODER_HEADS)).eval()
    golden.fill(sam, sam_rules("", "model."), "sam/w/")
    features = sam.encode_image(golden["sam/in/pixel_values"])
    golden.close("sam/out/image_embeddings", features, POOLED)
    logits, iou = sam.masks_at(features, golden["sam/in/points"][:, 0])
    golden.close("sam/out/low_res_logits", logits, POOLED)
    golden.close("sam/out/iou_predictions", iou, POOLED)


def _mask_generation(golden: Golden) -> None:
    """From recorded masks to those that pass the filters, in their order."""
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


UNLABELED = 255  # of a true mask: not counted by metrics
_SQUARE = 1024  # px: masks that are not recorded were measured at SAM's size
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
    """A rule's mask of one image (H, W), and the true one, which may contain ``UNLABELED``."""

    mask: NDArray[np.bool_]
    truth: NDArray[np.uint8]


def rules_of(golden: Golden) -> list[str]:
    """The names of the rules in the file, as 'top5_and_iop_0.7'."""
    return sorted({n.split("/")[2] for n in golden.tensors if n.startswith("sel/out/")})


def choices(golden: Golden, rule: str) -> Iterator[Choice]:
    """A rule's mask of each image, on the grid on which it was measured."""
    for b in image_range(golden):
        truth = golden[f"sel/in/gt_{b}"].numpy()
        similarity, iop = (golden[f"sel/in/{kind}_{b}"][0] for kind in ("similarity", "iop"))
        chosen = select(similarity, iop, _selection_of(rule)).numpy()
        union = golden[f"in/proposals_{b}"].bool().numpy()[chosen].any(0, keepdims=True)
        if not _is_recorded(golden, rule, b):
            truth = resize_nearest(truth, _SQUARE, _SQUARE)
        yield Choice(resize_nearest(union, *truth.shape[1:])[0], truth[0])


def _is_recorded(golden: Golden, rule: str, image: int) -> bool:
    return f"sel/out/{rule}/pred_{image}" in golden.tensors


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
    """Anti-aliased for the first image only, as their data sets differ in it."""
    for b in image_range(golden):
        name, proposals = f"out/soft_masks_256_{b}", golden[f"in/proposals_{b}"].bool().numpy()
        golden.close(name, soft_masks(proposals, golden[name].shape[-1], b == 0), ROUNDING)


def _targets(golden: Golden) -> None:
    for b in image_range(golden):
        truth, proposals = (golden[f"in/{n}_{b}"].bool().numpy() for n in ("gt", "proposals"))
        targets = proposal_targets(truth, proposals)
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
        either = int(((mask | (truth == 1)) & (truth != UNLABELED)).sum())
        ious.append(both / (either + _MEAN_EPSILON) if either else 1.0)
        shared, joined = shared + both, joined + either
    giou, ciou = sum(ious) / (len(ious) + _MEAN_EPSILON), shared / (joined + _SUM_EPSILON)
    return torch.tensor([giou, ciou], dtype=torch.float64)


_TURN = "ASSISTANT:"  # what follows it is learned
_MORE_TEXT = ("ünïcödé 猫 \n two  spaces", " leading")
# Inputs that are stored beside the ids in ``tok/``.
_GIVEN = {
    "tok/questions_answers_json": "given: the turns of the conversations",
    "tok/prompts_json": "given: the conversations' text, of which ours are ids at once",
    "tok/tokenizer_json": "given: the tokenizer",
    "tok/tokenizer_model": "given: the tokenizer again, compared by the ids that it makes",
}


def words_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Each raises WeightsError."""
    golden.excluded.update(_GIVEN)
    return {
        "tokens": partial(_tokens, golden),
        "conversations": partial(_conversations, golden),
        "tokenizer": partial(_tokenizer, golden),
    }


def _tokens(golden: Golden) -> None:
    """From whole prompts."""
    tokenizer = _with_seg(golden)
    golden.close("tok/seg_id", torch.tensor([tokenizer.seg]), 0)
    rows, labels = [], []
    for prompt in _read_json(golden, "tok/prompts_json"):
        row = legacy_ids(prompt, tokenizer)
        queries = len(legacy_ids(prompt[: prompt.index(_TURN) + len(_TURN)], tokenizer))
        rows.append(row)
        labels.append([*[IGNORED] * queries, *row[queries:]])
    _agree(golden, rows, labels)


def _conversations(golden: Golden) -> None:
    """From questions and answers."""
    prompts, rows, labels = HRSegPrompts(_with_seg(golden), "llava"), [], []
    for question, answer in _read_json(golden, "tok/questions_answers_json"):
        lesson = prompts.turn(question.removeprefix(f"{IMAGE}\n"), answer, question)
        prefix = [*lesson.sequence.prefix, Placeholder.IMAGE]
        rows.append([*prefix, *lesson.sequence.ids.tolist()])
        labels.append([*[IGNORED] * len(prefix), *lesson.labels.tolist()])
    _agree(golden, rows, labels)


def _agree(golden: Golden, rows: list[list[int]], labels: list[list[int]]) -> None:
    """Padded on the right as they pad."""
    golden.close("tok/input_ids", _padded(rows, 0), 0)
    golden.close("tok/labels", _padded(labels, IGNORED), 0)


def _padded(rows: list[list[int]], value: int) -> Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], True, value)


def _tokenizer(golden: Golden) -> None:
    """Sentencepiece's file gives the same tokenizer, but for tokens that were added later."""
    data = bytes(golden.recorded("tok/tokenizer_model").tolist())
    ours = parse_sentencepiece_model(data, golden.path.name)
    theirs = RustTokenizer.from_str(_text(golden, "tok/tokenizer_json"))
    for text in (*_read_json(golden, "tok/prompts_json"), *_MORE_TEXT):
        plain = text.replace(IMAGE_START, "").replace(IMAGE_END, "")
        expected = theirs.encode(plain, add_special_tokens=False).ids
        same = ours.encode(plain).ids == expected
        golden.require(same, f"tok/tokenizer_model makes other ids of {plain!r}")


def _with_seg(golden: Golden) -> Tokenizer:
    rust = RustTokenizer.from_str(_text(golden, "tok/tokenizer_json"))
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    return Tokenizer(rust)


def _read_json(golden: Golden, name: str) -> Any:
    return json.loads(_text(golden, name))


def _text(golden: Golden, name: str) -> str:
    return bytes(golden.recorded(name).tolist()).decode()
