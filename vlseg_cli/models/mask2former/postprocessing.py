"""Raw scores and masks become a Prediction: one function per kind of task (PSALM section 7)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from vlseg_cli.nn.array_backend import (
    Array,
    constant,
    namespace,
    resize,
    sigmoid,
    softmax,
    to_numpy,
)
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    generalized_mask,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    selected_mask,
    semantic_scores,
    top_instances,
    without_duplicates,
)
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
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
    """The part of a configuration that decides which masks are kept; see ``MaskModelConfig``."""

    @property
    def panoptic_score(self) -> float: ...
    @property
    def panoptic_overlap(self) -> float: ...
    @property
    def instance_score(self) -> float: ...
    @property
    def duplicate_overlap(self) -> float | None: ...
    @property
    def semantic_score(self) -> float | None: ...
    @property
    def selection_score(self) -> float | None: ...


PromptOutput = tuple[Array, Array]  # scores (N, K) and pred_masks (N, h, w) of one row
FoundSegments = tuple[list[Segment], PanopticMap | None]


def build_prediction(
    request: PromptRequest,
    frame: Frame,
    geometry: ImageGeometry,
    outputs: Sequence[PromptOutput],
    config: Thresholds,
    seconds: dict[str, float],
    generated: str = "",
) -> Prediction:
    """Turn the model's output for one request into a Prediction on the frame's grid.

    outputs: of its rows; none where text alone is requested. generated: text for the prediction.
    """
    segments: list[Segment] = []
    panoptic: PanopticMap | None = None
    match request.prompt:
        case _ if request.task is Task.CHAT:
            pass
        case Categories() as names if request.task is Task.PANOPTIC:
            segments, panoptic = _panoptic(request, names, geometry, outputs[0], config)
        case Categories() as names if request.task is Task.SEMANTIC:
            segments, panoptic = _semantic(names, geometry, outputs[0], config)
        case Categories() as names:
            segments = _instances(request, names, geometry, outputs[0], config)
        case Regions() as regions:
            segments = _regions(request, regions, geometry, outputs, config)
        case Expression(text=text) | Question(text=text):
            segments = _sentence(request, text, geometry, outputs[0], config)
    return Prediction.of(
        frame, request, segments, text=generated, panoptic=panoptic, seconds=seconds
    )


def _panoptic(
    request: PromptRequest,
    prompt: Categories,
    geometry: ImageGeometry,
    output: PromptOutput,
    config: Thresholds,
) -> FoundSegments:
    scores, low = output
    threshold = config.panoptic_score if request.threshold is None else request.threshold
    classes = softmax(scores)
    best, label = namespace(scores).amax(classes, -1), classes.argmax(-1)
    kept = (best > threshold) & (label < len(prompt.names))  # only these are worth resizing
    if kept.any():
        masks = resize_to_original(low[kept], geometry)
    else:
        masks = namespace(low).zeros((0, *geometry.original))
    is_thing = [prompt.is_thing(i) for i in range(len(prompt.names))]
    ids, segments = merge_panoptic(
        scores[kept], masks, is_thing, threshold, config.panoptic_overlap
    )
    id_map = to_numpy(ids).astype(np.int32)
    found = [
        segment_from_mask(id_map == s.id, s.score, prompt.names[s.category], s.category)
        for s in segments
    ]
    return found, PanopticMap(id_map)


def _semantic(
    prompt: Categories, geometry: ImageGeometry, output: PromptOutput, config: Thresholds
) -> FoundSegments:
    """The best category of each pixel; none where even that scores too low."""
    scores, low = output
    padded, xp = resize(low, geometry.padded), namespace(low)
    least = -np.inf if config.semantic_score is None else config.semantic_score
    best = constant(np.full(geometry.original, least, np.float32), low)
    label = constant(np.full(geometry.original, -1, np.int32), low)
    for category, score_map in enumerate(semantic_scores(scores, padded)):
        resized = resize_to_original(score_map[None], geometry)[0]  # one by one to save memory
        label[resized > best] = category
        best = xp.maximum(best, resized)
    id_map = np.zeros(geometry.original, np.int32)
    found: list[Segment] = []
    for category in xp.unique(label[label >= 0]).tolist():
        mask = to_numpy(label == category)
        score = float(xp.clip(best[label == category], None, 1).mean())
        found.append(segment_from_mask(mask, score, prompt.names[category], category))
        id_map[mask] = len(found)
    return found, PanopticMap(id_map)


def _instances(
    request: PromptRequest,
    prompt: Categories,
    geometry: ImageGeometry,
    output: PromptOutput,
    config: Thresholds,
) -> list[Segment]:
    scores, low = output
    threshold = config.instance_score if request.threshold is None else request.threshold
    is_thing = [prompt.is_thing(i) for i in range(len(prompt.names))]
    masks = resize_to_original(low, geometry)
    found = top_instances(scores, masks, things=constant(is_thing, scores))
    if config.duplicate_overlap is not None:
        found = without_duplicates(found, low, config.duplicate_overlap)
    segments = []
    for score, category, query in zip(
        found.scores.tolist(), found.categories.tolist(), found.queries.tolist(), strict=True
    ):
        mask = masks[query] > 0
        if score >= threshold and bool(mask.any()):
            name = prompt.names[category]
            segments.append(segment_from_mask(to_numpy(mask), score, name, category))
    return segments


def _sentence(
    request: PromptRequest,
    text: str,
    geometry: ImageGeometry,
    output: PromptOutput,
    config: Thresholds,
) -> list[Segment]:
    scores, low = output
    if config.selection_score is not None:
        least = config.selection_score if request.threshold is None else request.threshold
        mask, best = selected_mask(scores[:, 0], low, geometry, least)
        return [segment_from_mask(to_numpy(mask), best, text)] if bool(mask.any()) else []
    masks = resize_to_original(low, geometry)
    each = referring_scores(scores[:, 0], masks)
    best = float(each.max())
    if request.many:
        threshold = 0.6 if request.threshold is None else request.threshold
        mask = generalized_mask(each, masks, threshold)
    else:
        mask = masks[int(each.argmax())] > 0
        if request.threshold is not None and best < request.threshold:
            return []
    if not bool(mask.any()):
        return []
    return [segment_from_mask(to_numpy(mask), best, text)]


def _regions(
    request: PromptRequest,
    prompt: Regions,
    geometry: ImageGeometry,
    outputs: Sequence[PromptOutput],
    config: Thresholds,
) -> list[Segment]:
    """One mask per region; regions of one prompt share an output, else each has its own."""
    segments = []
    labels = iter(f"{region.kind} {number}" for number, region in enumerate(prompt.regions, 1))
    for scores, low in outputs:
        if config.selection_score is not None:
            best = float(sigmoid(scores.max()))
            least = min(config.selection_score, best)  # what is pointed at is there
            union, best = selected_mask(scores[:, 0], low, geometry, least)
            if request.threshold is None or best >= request.threshold:
                segments.append(segment_from_mask(to_numpy(union), best, next(labels)))
            continue
        masks = resize_to_original(low, geometry)
        for condition in scores.T:
            each, label = referring_scores(condition, masks), next(labels)
            best = int(each.argmax())
            if request.threshold is None or float(each[best]) >= request.threshold:
                mask = to_numpy(masks[best] > 0)
                segments.append(segment_from_mask(mask, float(each[best]), label))
    return segments
