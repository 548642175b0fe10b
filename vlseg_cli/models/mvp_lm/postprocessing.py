"""Scores, boxes and masks become a Prediction (MVP-LM section 7).

Segments of names are built as in ``mask2former/postprocessing.py``; here is what only MVP-LM has:
predicted boxes, and gRefCOCO's no-target decision (``_expression_segments``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.postprocessing import build_prediction as build_mask_prediction
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.nn.boxes import boxes_to_pixels
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    referring_scores,
    resize_to_original,
    top_instances,
)
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Segment,
    Task,
    segment_from_mask,
)

BOXED = (Task.DETECT, Task.GROUND)  # with predicted boxes instead of the masks' boxes


class BoxedOutput(NamedTuple):
    """The output for one prompt: scores (N, K), boxes (N, 4), pred_masks (N, h, w), and the
    generated caption."""

    scores: Tensor
    boxes: Tensor
    pred_masks: Tensor
    caption: str


def build_prediction(
    request: PromptRequest,
    frame: Frame,
    geometry: ImageGeometry,
    output: BoxedOutput,
    config: MVPLMConfig,
    seconds: dict[str, float],
) -> Prediction:
    """The output for one request as a Prediction on the frame's grid."""
    match request.prompt:
        case Categories() if request.task not in BOXED:
            without_boxes = [(output.scores, output.pred_masks)]
            found = build_mask_prediction(request, frame, geometry, without_boxes, config, seconds)
            return replace(found, text=output.caption)
        case Categories() as names:
            segments = _box_segments(request, names, geometry, output, config)
        case Expression(text=text) | Question(text=text):
            segments = _expression_segments(request, text, geometry, output, config)
        case regions:
            raise TypeError(f"MVP-LM takes no {type(regions).__name__}")
    return Prediction.of(frame, request, segments, text=output.caption, seconds=seconds)


def _box_segments(
    request: PromptRequest,
    prompt: Categories,
    geometry: ImageGeometry,
    output: BoxedOutput,
    config: MVPLMConfig,
) -> list[Segment]:
    """Instances with predicted boxes, best first; a mask may be empty."""
    threshold = config.instance_score if request.threshold is None else request.threshold
    flags = [prompt.is_thing(i) for i in range(len(prompt.names))]
    things = torch.tensor(flags, device=output.scores.device)
    masks = resize_to_original(output.pred_masks, geometry)
    found = top_instances(output.scores, masks, things=things)
    boxes = boxes_to_pixels(output.boxes, geometry)
    return [
        _boxed(masks[query], boxes[query], score, prompt.names[category], category)
        for score, category, query in zip(
            found.scores.tolist(), found.categories.tolist(), found.queries.tolist(), strict=True
        )
        if score >= threshold
    ]


def _expression_segments(
    request: PromptRequest,
    text: str,
    geometry: ImageGeometry,
    output: BoxedOutput,
    config: MVPLMConfig,
) -> list[Segment]:
    """Of a sentence: the best query, or the union of all above the threshold (``many``).

    No-target: with ``many``, or with a threshold, no query may score enough; then there is no
    segment.
    """
    masks = resize_to_original(output.pred_masks, geometry)
    each = referring_scores(output.scores[:, 0], masks)
    order = each.argsort(descending=True)
    threshold = config.sentence_score if request.threshold is None else request.threshold
    if request.many:
        chosen = order[each[order] > threshold]
    else:
        chosen = order[:1] if request.threshold is None else order[:1][each[order[:1]] >= threshold]
    if not len(chosen):
        return []
    if request.task in BOXED:
        boxes = boxes_to_pixels(output.boxes, geometry)
        return [_boxed(masks[query], boxes[query], float(each[query]), text) for query in chosen]
    union = (masks[chosen] > 0).any(0)
    if not bool(union.any()):
        return []
    return [segment_from_mask(union.cpu().numpy(), float(each[chosen[0]]), text)]


def _boxed(
    mask: Tensor, box: Tensor, score: float, label: str, category: int | None = None
) -> Segment:
    """A segment with a predicted box, clipped to the image; box: corners in px."""
    height, width = mask.shape
    edge: Sequence[float] = (width, height, width, height)
    x0, y0, x1, y1 = np.clip(box.double().cpu().numpy(), 0, edge).tolist()
    segment = segment_from_mask((mask > 0).cpu().numpy(), score, label, category)
    return replace(segment, bbox=(x0, y0, x1 - x0, y1 - y0))
