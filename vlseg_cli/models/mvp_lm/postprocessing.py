"""Raw scores, boxes and masks become a Prediction (MVP-LM section 7).

Segments of names are made as PSALM's are; here is what only MVP-LM has: boxes of its own, and the
honest answer that nothing in the picture is meant.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.postprocessing import build_prediction
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

BOXED = (Task.DETECT, Task.GROUND)  # their segments' boxes are the model's, not the masks'


class BoxedOutput(NamedTuple):
    """The answer to one prompt: scores (N, K), boxes (N, 4), pred_masks (N, h, w), and the caption
    that came before it."""

    scores: Tensor
    boxes: Tensor
    pred_masks: Tensor
    caption: str


def describe(
    ask: PromptRequest,
    frame: Frame,
    canvas: ImageGeometry,
    part: BoxedOutput,
    config: MVPLMConfig,
    seconds: dict[str, float],
) -> Prediction:
    """Turn what the model answered to one ask into a Prediction on the frame's grid."""
    match ask.prompt:
        case Categories() if ask.task not in BOXED:
            masks_alone = [(part.scores, part.pred_masks)]
            found = build_prediction(ask, frame, canvas, masks_alone, config, seconds)
            return replace(found, text=part.caption)
        case Categories() as names:
            segments = _detected(ask, names, canvas, part, config)
        case Expression(text=text) | Question(text=text):
            segments = _meant(ask, text, canvas, part, config)
        case regions:
            raise TypeError(f"MVP-LM has no answer to {type(regions).__name__}")
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        ask.task,
        ask.prompt,
        tuple(segments),
        text=part.caption,
        seconds=seconds,
    )


def _detected(
    ask: PromptRequest,
    prompt: Categories,
    canvas: ImageGeometry,
    part: BoxedOutput,
    config: MVPLMConfig,
) -> list[Segment]:
    """Named boxes, best first; one may have an empty mask."""
    threshold = config.instance_score if ask.threshold is None else ask.threshold
    flags = [prompt.is_thing(i) for i in range(len(prompt.names))]
    things = torch.tensor(flags, device=part.scores.device)
    masks = resize_to_original(part.pred_masks, canvas)
    found = top_instances(part.scores, masks, things=things)
    boxes = boxes_to_pixels(part.boxes, canvas)
    return [
        _boxed(masks[query], boxes[query], score, prompt.names[category], category)
        for score, category, query in zip(
            found.scores.tolist(), found.categories.tolist(), found.queries.tolist(), strict=True
        )
        if score >= threshold
    ]


def _meant(
    ask: PromptRequest, text: str, canvas: ImageGeometry, part: BoxedOutput, config: MVPLMConfig
) -> list[Segment]:
    """What a sentence means: the best alone, or all that score enough, which may be none."""
    masks = resize_to_original(part.pred_masks, canvas)
    each = referring_scores(part.scores[:, 0], masks)
    order = each.argsort(descending=True)
    lowest = config.sentence_score if ask.threshold is None else ask.threshold
    if ask.many:
        chosen = order[each[order] > lowest]
    else:
        chosen = order[:1] if ask.threshold is None else order[:1][each[order[:1]] >= lowest]
    if not len(chosen):
        return []
    if ask.task in BOXED:
        boxes = boxes_to_pixels(part.boxes, canvas)
        return [_boxed(masks[query], boxes[query], float(each[query]), text) for query in chosen]
    together = (masks[chosen] > 0).any(0)
    if not bool(together.any()):
        return []
    return [segment_from_mask(together.cpu().numpy(), float(each[chosen[0]]), text)]


def _boxed(
    mask: Tensor, box: Tensor, score: float, label: str, category: int | None = None
) -> Segment:
    """A segment with the model's own box, cut off at the picture's edge; box: corners in px."""
    height, width = mask.shape
    edge: Sequence[float] = (width, height, width, height)
    x0, y0, x1, y1 = np.clip(box.double().cpu().numpy(), 0, edge).tolist()
    segment = segment_from_mask((mask > 0).cpu().numpy(), score, label, category)
    return replace(segment, bbox=(x0, y0, x1 - x0, y1 - y0))
