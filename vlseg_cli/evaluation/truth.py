"""Truth and prediction in the shapes the metrics take: id maps, class maps, boxes, masks."""

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.evaluation.metrics.average_precision import Detection, TrueInstance
from vlseg_cli.evaluation.metrics.panoptic_quality import VOID, PanopticSegment
from vlseg_cli.outputs.panoptic import segment_ids
from vlseg_cli.schema import (
    PanopticMap,
    Prediction,
    Prompt,
    Query,
    Record,
    Task,
    decode_rle,
    segment_from_mask,
)

NO_CLASS = -1


def true_panoptic(query: Query) -> tuple[NDArray[np.int32], list[PanopticSegment]]:
    """Id map (H, W), 0 where no mask is, and its segments; category = index into the names."""
    ids = np.full(query.masks.shape[1:], VOID, np.int32)
    for number, mask in enumerate(query.masks, start=1):
        ids[mask] = number
    areas = [None] * len(query.masks) if query.areas is None else query.areas.astype(int).tolist()
    crowd = [False] * len(query.masks) if query.crowd is None else query.crowd.tolist()
    stated = zip(query.labels.tolist(), areas, crowd, strict=True)
    return ids, [PanopticSegment(number, *one) for number, one in enumerate(stated, start=1)]


def predicted_panoptic(prediction: Prediction) -> tuple[NDArray[np.int32], list[PanopticSegment]]:
    """Id map (H, W) and the segments with pixels in it; all void if nothing was predicted."""
    if prediction.panoptic is None:
        return np.full((prediction.height, prediction.width), VOID, np.int32), []
    ids = prediction.panoptic.ids
    present = [int(number) for number in np.unique(ids) if number != VOID]
    return ids, [PanopticSegment(n, _category(prediction, n - 1)) for n in present]


def true_classes(query: Query) -> NDArray[np.int64]:
    """Class map (H, W): indices into the names, ``NO_CLASS`` where no mask is."""
    classes = np.full(query.masks.shape[1:], NO_CLASS, np.int64)
    for mask, label in zip(query.masks, query.labels, strict=True):
        classes[mask] = label
    return classes


def predicted_classes(prediction: Prediction) -> NDArray[np.int64]:
    """Class map (H, W) of a semantic or panoptic prediction, ``NO_CLASS`` outside all segments."""
    ids, segments = predicted_panoptic(prediction)
    classes = np.full(len(prediction.segments) + 1, NO_CLASS, np.int64)
    for segment in segments:
        classes[segment.id] = segment.category
    return classes[ids]


def true_boxes(query: Query) -> list[TrueInstance]:
    """The boxes of the true masks."""
    segments = [segment_from_mask(mask, 1.0, "") for mask in query.masks]
    return [
        TrueInstance(int(label), segment.bbox, segment.area)
        for segment, label in zip(segments, query.labels, strict=True)
    ]


def predicted_boxes(prediction: Prediction) -> list[Detection]:
    """The predicted boxes with their scores."""
    return [
        Detection(_category(prediction, position), segment.bbox, segment.score)
        for position, segment in enumerate(prediction.segments)
    ]


def true_box(query: Query) -> tuple[float, float, float, float]:
    """x, y, w, h around all targets."""
    return segment_from_mask(np.asarray(query.masks.any(0)), 1.0, "").bbox


def predicted_box(prediction: Prediction) -> tuple[float, float, float, float]:
    """x, y, w, h of the first segment, the best; nothing if there is none."""
    return prediction.segments[0].bbox if prediction.segments else (0.0, 0.0, 0.0, 0.0)


def predicted_mask(prediction: Prediction, position: int = 0) -> NDArray[np.bool_]:
    """Mask (H, W) of one segment; empty if there are fewer."""
    if position < len(prediction.segments):
        return decode_rle(prediction.segments[position].rle)
    return np.zeros((prediction.height, prediction.width), bool)


def predicted_union(prediction: Prediction) -> NDArray[np.bool_]:
    """Mask (H, W) of all segments together; empty if there is none."""
    union = np.zeros((prediction.height, prediction.width), bool)
    for segment in prediction.segments:
        union |= decode_rle(segment.rle)
    return union


def true_union(query: Query) -> NDArray[np.bool_]:
    """Mask (H, W) of all targets; empty if there is none."""
    return np.asarray(query.masks.any(axis=0))


def prediction_of(record: Record, prompt: Prompt) -> Prediction:
    """The prediction that a record was made of."""
    ids = segment_ids(record) if record.task in (Task.PANOPTIC, Task.SEMANTIC) else None
    return Prediction(
        record.input,
        record.frame,
        record.height,
        record.width,
        record.task,
        prompt,
        record.segments,
        record.text,
        None if ids is None else PanopticMap(ids),
    )


def _category(prediction: Prediction, position: int) -> int:
    category = prediction.segments[position].category_id
    if category is None:
        raise ValueError(f"Segment {position} of category names has no category_id.")
    return category
