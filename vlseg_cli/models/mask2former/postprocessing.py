"""Raw scores and masks become a Prediction: one function per kind of task (PSALM section 7)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    generalized_mask,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    semantic_scores,
    top_instances,
)
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    PanopticMap,
    Prediction,
    PromptRequest,
    Question,
    Regions,
    Segment,
    Task,
    segment_from_mask,
)


class Thresholds(Protocol):
    """A configuration, as far as answers are cut by it; see ``PSALMConfig``."""

    @property
    def panoptic_score(self) -> float: ...
    @property
    def panoptic_overlap(self) -> float: ...
    @property
    def instance_score(self) -> float: ...


PromptOutput = tuple[Tensor, Tensor]  # scores (N, K) and pred_masks (N, h, w) of one row
FoundSegments = tuple[list[Segment], PanopticMap | None]


def build_prediction(
    ask: PromptRequest,
    frame: Frame,
    canvas: ImageGeometry,
    parts: Sequence[PromptOutput],
    config: Thresholds,
    seconds: dict[str, float],
    said: str = "",
) -> Prediction:
    """Turn what the model answered to one ask, and said, into a Prediction on the frame's grid.

    parts: none where words alone were asked for.
    """
    found: FoundSegments = [], None
    match ask.prompt:
        case _ if ask.task is Task.CHAT:
            pass
        case Categories():
            found = _categories(ask, ask.prompt, canvas, parts[0], config)
        case Regions():
            found = _regions(ask, ask.prompt, canvas, parts), None
        case Expression(text=text) | Question(text=text):
            found = _sentence(ask, text, canvas, parts[0]), None
    return Prediction(
        frame.source,
        frame.index,
        frame.height,
        frame.width,
        ask.task,
        ask.prompt,
        tuple(found[0]),
        said,
        panoptic=found[1],
        seconds=seconds,
    )


def check_finite(parts: Sequence[PromptOutput], frame: Frame) -> None:
    """Masks made of NaN would look like empty ones; half precision on large inputs makes them.

    Raises NotFiniteError.
    """
    if not all(bool(tensor.isfinite().all()) for part in parts for tensor in part):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )


def _categories(
    ask: PromptRequest,
    prompt: Categories,
    canvas: ImageGeometry,
    part: PromptOutput,
    config: Thresholds,
) -> FoundSegments:
    if ask.task is Task.PANOPTIC:
        return _panoptic(ask, prompt, canvas, part, config)
    if ask.task is Task.SEMANTIC:
        return _semantic(prompt, canvas, part)
    return _instances(ask, prompt, canvas, part, config), None


def _panoptic(
    ask: PromptRequest,
    prompt: Categories,
    canvas: ImageGeometry,
    part: PromptOutput,
    config: Thresholds,
) -> FoundSegments:
    scores, low = part
    threshold = config.panoptic_score if ask.threshold is None else ask.threshold
    best, label = scores.softmax(-1).max(-1)
    kept = (best > threshold) & (label < len(prompt.names))  # only these are worth enlarging
    masks = (
        resize_to_original(low[kept], canvas) if kept.any() else low.new_zeros(0, *canvas.original)
    )
    is_thing = [prompt.is_thing(i) for i in range(len(prompt.names))]
    ids, segments = merge_panoptic(
        scores[kept], masks, is_thing, threshold, config.panoptic_overlap
    )
    owner = ids.cpu().numpy().astype(np.int32)
    found = [
        segment_from_mask(owner == s.id, s.score, prompt.names[s.category], s.category)
        for s in segments
    ]
    return found, PanopticMap(owner)


def _semantic(prompt: Categories, canvas: ImageGeometry, part: PromptOutput) -> FoundSegments:
    scores, low = part
    best = low.new_full(canvas.original, float("-inf"))
    label = torch.zeros_like(best, dtype=torch.int32)
    for category, one in enumerate(semantic_scores(scores, _padded(low, canvas))):
        enlarged = resize_to_original(one[None], canvas)[0]  # one by one: a photo's maps are large
        label[enlarged > best] = category
        best = best.maximum(enlarged)
    owner = np.zeros(canvas.original, np.int32)
    found: list[Segment] = []
    for category in torch.unique(label).tolist():
        mask = (label == category).cpu().numpy()
        score = float((best[label == category]).clamp(max=1).mean())
        found.append(segment_from_mask(mask, score, prompt.names[category], category))
        owner[mask] = len(found)
    return found, PanopticMap(owner)


def _padded(low: Tensor, canvas: ImageGeometry) -> Tensor:
    """Masks at the size of the network's input."""
    return torch.nn.functional.interpolate(
        low[None], canvas.padded, mode="bilinear", align_corners=False
    )[0]


def _instances(
    ask: PromptRequest,
    prompt: Categories,
    canvas: ImageGeometry,
    part: PromptOutput,
    config: Thresholds,
) -> list[Segment]:
    scores, low = part
    threshold = config.instance_score if ask.threshold is None else ask.threshold
    things = torch.tensor(
        [prompt.is_thing(i) for i in range(len(prompt.names))], device=scores.device
    )
    masks = resize_to_original(low, canvas)
    found = top_instances(scores, masks, things=things)
    segments = []
    for score, category, query in zip(
        found.scores.tolist(), found.categories.tolist(), found.queries.tolist(), strict=True
    ):
        mask = masks[query] > 0
        if score >= threshold and bool(mask.any()):
            name = prompt.names[category]
            segments.append(segment_from_mask(mask.cpu().numpy(), score, name, category))
    return segments


def _sentence(
    ask: PromptRequest, text: str, canvas: ImageGeometry, part: PromptOutput
) -> list[Segment]:
    scores, low = part
    masks = resize_to_original(low, canvas)
    each = referring_scores(scores[:, 0], masks)
    best = float(each.max())
    if ask.many:
        mask = generalized_mask(each, masks, 0.6 if ask.threshold is None else ask.threshold)
    else:
        mask = masks[int(each.argmax())] > 0
        if ask.threshold is not None and best < ask.threshold:
            return []
    if not bool(mask.any()):
        return []
    return [segment_from_mask(mask.cpu().numpy(), best, text)]


def _regions(
    ask: PromptRequest, prompt: Regions, canvas: ImageGeometry, parts: Sequence[PromptOutput]
) -> list[Segment]:
    """One answer per region; regions asked together share a part, else each has its own."""
    segments = []
    labels = iter(f"{region.kind} {number}" for number, region in enumerate(prompt.regions, 1))
    for scores, low in parts:
        masks = resize_to_original(low, canvas)
        for condition in scores.T:
            each, label = referring_scores(condition, masks), next(labels)
            best = int(each.argmax())
            if ask.threshold is None or float(each[best]) >= ask.threshold:
                mask = (masks[best] > 0).cpu().numpy()
                segments.append(segment_from_mask(mask, float(each[best]), label))
    return segments
