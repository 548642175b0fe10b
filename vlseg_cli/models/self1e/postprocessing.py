"""Masks and generated text become a Prediction (SELF1E section 7).

The authors define no score; here it is the mean probability inside the mask, as elsewhere.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.nn.postprocessing import mask_scores
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    PanopticMap,
    Prediction,
    PromptRequest,
    Question,
    Segment,
    Task,
    UsageError,
    segment_from_mask,
)

TASKS = (Task.REFER, Task.REASON, Task.SEMANTIC, Task.CHAT)


class SELF1EPromptOutput(NamedTuple):
    """The output for one prompt: pred_masks (M, h, w) logits, one per ``[SEG]``, and the generated
    text, "" without any."""

    pred_masks: Tensor
    text: str = ""


def check_request(request: PromptRequest) -> None:
    """Raise UsageError for a prompt that SELF1E does not support."""
    if request.task not in TASKS:
        raise UsageError(
            "SELF1E predicts one mask for a sentence or a name and no separate objects: it can be"
            f" asked for {', '.join(TASKS)}, not for {request.task}."
        )
    if isinstance(request.prompt, Categories) and not request.prompt.names:
        raise UsageError("There is no category to look for: give at least one name.")


def build_prediction(
    request: PromptRequest, frame: Frame, output: SELF1EPromptOutput, seconds: dict[str, float]
) -> Prediction:
    """The output for one request as a Prediction on the frame's grid."""
    panoptic: PanopticMap | None = None
    segments: list[Segment] = []
    match request.prompt:
        case Categories():
            segments, panoptic = _semantic(request.prompt, frame, output.pred_masks)
        case Expression(text=text) | Question(text=text):
            segments = _sentence(request, text, frame, output.pred_masks)
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        request.task,
        request.prompt,
        tuple(segments),
        output.text,
        panoptic,
        seconds,
    )


def to_frame(pred_masks: Tensor, size: Sequence[int]) -> Tensor:
    """(M, h, w) logits -> (M, H, W) on the frame's grid, which undoes the square resize."""
    return F.interpolate(pred_masks[None], list(size), mode="bilinear", align_corners=False)[0]


def _sentence(request: PromptRequest, text: str, frame: Frame, pred_masks: Tensor) -> list[Segment]:
    segments = []
    for mask in pred_masks:  # one at a time: full-size maps are large
        logits = to_frame(mask[None], (frame.height, frame.width))
        score, inside = float(mask_scores(logits)), logits[0] > 0
        if bool(inside.any()) and (request.threshold is None or score >= request.threshold):
            segments.append(segment_from_mask(inside.cpu().numpy(), score, text))
    return segments


def _semantic(
    prompt: Categories, frame: Frame, pred_masks: Tensor
) -> tuple[list[Segment], PanopticMap]:
    """Each pixel gets the name with the highest logit; the authors publish no rule."""
    best = pred_masks.new_full((frame.height, frame.width), float("-inf"))
    label = torch.zeros_like(best, dtype=torch.int32)
    for category, mask in enumerate(pred_masks):
        logits = to_frame(mask[None], best.shape)[0]
        label[logits > best] = category
        best = best.maximum(logits)
    probability, owner = best.sigmoid(), np.zeros(best.shape, np.int32)
    found: list[Segment] = []
    for category in torch.unique(label).tolist():
        inside = label == category
        mask, score = inside.cpu().numpy(), float(probability[inside].mean())
        found.append(segment_from_mask(mask, score, prompt.names[category], category))
        owner[mask] = len(found)
    return found, PanopticMap(owner)
