"""Post-processing: decoder outputs to panoptic, semantic, instance and referring segments.

Source: PSALM section 7, the ``*_inference`` functions of ``llava_phi.py``. All functions take the
queries of one image, as tensors or NumPy arrays; masks are logits unless stated otherwise.
"""

from typing import NamedTuple

import numpy as np

from vlseg_cli.nn.array_backend import (
    Array,
    best_first,
    constant,
    descending,
    namespace,
    resize,
    sigmoid,
    softmax,
    to_numpy,
)


class ImageGeometry(NamedTuple):
    """Sizes (height, width) in px: the padded network input, its content, the original image."""

    padded: tuple[int, int]
    content: tuple[int, int]
    original: tuple[int, int]


def resize_to_original(maps: Array, geometry: ImageGeometry) -> Array:
    """(N, h, w) -> (N, H, W): resized to the network's input, cropped, resized to the original."""
    padded = resize(maps, geometry.padded)
    return resize(padded[:, : geometry.content[0], : geometry.content[1]], geometry.original)


def mask_scores(masks: Array) -> Array:
    """(N, H, W) logits -> (N,): mean foreground probability, 0 for an empty mask."""
    scores = namespace(masks).zeros_like(masks[:, 0, 0])
    for index, mask in enumerate(masks):  # one by one: all at once triples the memory of a photo
        foreground = mask > 0
        scores[index] = (sigmoid(mask) * foreground).sum() / (foreground.sum() + 1e-6)
    return scores


class MergedSegment(NamedTuple):
    """One segment of a panoptic map: its id in the map, class index and the query's class score."""

    id: int
    category: int
    score: float


def merge_panoptic(
    class_logits: Array,
    masks: Array,
    is_thing: list[bool],
    score_threshold: float = 0.8,
    overlap_threshold: float = 0.8,
) -> tuple[Array, list[MergedSegment]]:
    """The panoptic merge (PSALM 7.1): class_logits (N, K + 1), no-object last, masks (N, H, W).

    A query keeps the pixels where its score times probability is highest, unless less than
    ``overlap_threshold`` of its mask is left; stuff of one class is one segment. Returns ids (H, W)
    int32, 0 where there is no segment, and the segments.
    """
    xp, classes = namespace(masks), softmax(class_logits)
    scores, labels = xp.amax(classes, -1), classes.argmax(-1)
    keep = (labels != class_logits.shape[-1] - 1) & (scores > score_threshold)
    ids = constant(np.zeros(masks.shape[-2:], np.int32), masks)
    segments: list[MergedSegment] = []
    if not keep.any():
        return ids, segments
    scores, labels, probability = scores[keep], labels[keep], sigmoid(masks[keep])
    owner = (scores[:, None, None] * probability).argmax(0)
    stuff: dict[int, int] = {}
    for query, label in enumerate(labels.tolist()):
        confident = probability[query] >= 0.5
        owned = owner == query
        pixels = owned & confident
        area, full = int(owned.sum()), int(confident.sum())
        if not area or not full or not bool(pixels.any()) or area / full < overlap_threshold:
            continue
        if not is_thing[label] and label in stuff:
            ids[pixels] = stuff[label]
            continue
        segments.append(MergedSegment(len(segments) + 1, label, float(scores[query])))
        ids[pixels] = len(segments)
        if not is_thing[label]:
            stuff[label] = len(segments)
    return ids, segments


def semantic_scores(class_logits: Array, masks: Array) -> Array:
    """class_logits (N, K + 1), masks (N, H, W) -> scores (K, H, W) without no-object (7.2)."""
    probability = softmax(class_logits)[:, :-1]
    return namespace(masks).einsum("qc,qhw->chw", probability, sigmoid(masks))


class ScoredInstances(NamedTuple):
    """Scored masks: scores (M,), categories (M,) class indices, queries (M,) their masks."""

    scores: Array
    categories: Array
    queries: Array


def top_instances(
    class_logits: Array, masks: Array, top: int = 100, things: Array | None = None
) -> ScoredInstances:
    """The ``top`` best (query, class) pairs, best first; ``things`` (K,) bool restricts classes.

    Score: class probability times mask score at the masks' resolution (7.3).
    """
    probability = softmax(class_logits)[:, :-1]
    count, classes = len(probability), probability.shape[1]
    best, index = best_first(probability.reshape(-1), min(top, count * classes))
    queries, categories = index // classes, index % classes
    if things is not None:
        kept = things[categories]
        best, queries, categories = best[kept], queries[kept], categories[kept]
    scores = best * mask_scores(masks)[queries]
    order = descending(scores)
    return ScoredInstances(scores[order], categories[order], queries[order])


def selected_mask(
    logits: Array, masks: Array, geometry: ImageGeometry, least: float
) -> tuple[Array, float]:
    """The union of the masks that a prompt means, and the highest probability of one.

    logits (N,); masks (N, h, w) on the model's grid; least: probability of a mask that is meant.
    The union (H, W) is empty where none is.
    """
    probability = sigmoid(logits)
    chosen, best = probability >= least, float(probability.max())
    if not chosen.any():
        return constant(np.zeros(geometry.original, bool), masks), best
    return (resize_to_original(masks[chosen], geometry) > 0).any(0), best


def without_duplicates(found: ScoredInstances, masks: Array, overlap: float) -> ScoredInstances:
    """Without what overlaps a better one by more than this IoU, whatever its class.

    masks: (N, h, w) logits of all queries, at any resolution.
    """
    inside = to_numpy(masks[found.queries] > 0).reshape(len(found.queries), -1).astype(np.float32)
    shared = inside @ inside.T
    area = shared.diagonal()
    iou = shared / np.maximum(area + area[:, None] - shared, 1)
    kept: list[int] = []
    for index in range(len(inside)):
        if not (iou[index, kept] > overlap).any():
            kept.append(index)
    return ScoredInstances(*(column[kept] for column in found))


def referring_scores(condition_logits: Array, masks: Array) -> Array:
    """condition_logits (N,), masks (N, H, W) -> (N,) in [0, 1]; the best is the result (7.4)."""
    return sigmoid(condition_logits) * mask_scores(masks)


def generalized_mask(scores: Array, masks: Array, threshold: float = 0.6) -> Array:
    """Union of the masks scored above ``threshold``, else the best one: (H, W) bool (7.5)."""
    chosen = scores > threshold
    if not chosen.any():
        chosen[scores.argmax()] = True
    return (masks[chosen] > 0).any(0)
