"""Masks and words become a Prediction: one function per kind of task (SELF1E section 7).

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


class SELF1EAnswer(NamedTuple):
    """What the model answered to one prompt: pred_masks (M, h, w) logits, one per ``[SEG]``, and
    the words it generated, "" where none were asked for."""

    pred_masks: Tensor
    text: str = ""


def check_ask(ask: PromptRequest) -> None:
    """Raise UsageError for what SELF1E cannot answer."""
    if ask.task not in TASKS:
        raise UsageError(
            "SELF1E draws one mask for a sentence or a name and tells no objects apart: it can be"
            f" asked for {', '.join(TASKS)}, not for {ask.task}."
        )
    if isinstance(ask.prompt, Categories) and not ask.prompt.names:
        raise UsageError("There is no category to look for: give at least one name.")


def describe(
    ask: PromptRequest, frame: Frame, found: SELF1EAnswer, seconds: dict[str, float]
) -> Prediction:
    """Turn what the model answered to one ask into a Prediction on the frame's grid."""
    panoptic: PanopticMap | None = None
    segments: list[Segment] = []
    match ask.prompt:
        case Categories():
            segments, panoptic = _semantic(ask.prompt, frame, found.pred_masks)
        case Expression(text=text) | Question(text=text):
            segments = _sentence(ask, text, frame, found.pred_masks)
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        ask.task,
        ask.prompt,
        tuple(segments),
        found.text,
        panoptic,
        seconds,
    )


def to_frame(pred_masks: Tensor, size: Sequence[int]) -> Tensor:
    """(M, h, w) logits -> (M, H, W) on the frame's own grid; the square resize is undone by it."""
    return F.interpolate(pred_masks[None], list(size), mode="bilinear", align_corners=False)[0]


def _sentence(ask: PromptRequest, text: str, frame: Frame, pred_masks: Tensor) -> list[Segment]:
    segments = []
    for mask in pred_masks:  # one by one: a photo's maps are large
        logits = to_frame(mask[None], (frame.height, frame.width))
        score, inside = float(mask_scores(logits)), logits[0] > 0
        if bool(inside.any()) and (ask.threshold is None or score >= ask.threshold):
            segments.append(segment_from_mask(inside.cpu().numpy(), score, text))
    return segments


def _semantic(
    prompt: Categories, frame: Frame, pred_masks: Tensor
) -> tuple[list[Segment], PanopticMap]:
    """Every pixel belongs to the name with the highest logit; the authors publish no rule."""
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
        mine, score = inside.cpu().numpy(), float(probability[inside].mean())
        found.append(segment_from_mask(mine, score, prompt.names[category], category))
        owner[mine] = len(found)
    return found, PanopticMap(owner)
