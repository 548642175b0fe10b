"""The JSON record of one answered prompt: what ``--json`` prints and JSONL files hold."""

import json
from typing import TypedDict

from vlseg_cli.schema import (
    RLE,
    Categories,
    Expression,
    Prediction,
    Prompt,
    Question,
    Regions,
    Segment,
)


class SegmentRecord(TypedDict):
    """One segment: COCO RLE, box x, y, w, h in px, area in px, score in [0, 1]."""

    segmentation: RLE
    bbox: list[float]
    area: int
    score: float
    label: str
    category_id: int | None


class Record(TypedDict):
    """One prompt about one frame. ``prompt``: the sentence, the names, or the kinds of regions."""

    input: str
    frame: int
    width: int
    height: int
    task: str
    prompt: str | list[str]
    text: str
    segments: list[SegmentRecord]


def record_of(prediction: Prediction) -> Record:
    """Describe a prediction in plain JSON values."""
    return Record(
        input=prediction.source,
        frame=prediction.frame,
        width=prediction.width,
        height=prediction.height,
        task=prediction.task.value,
        prompt=prompt_words(prediction.prompt),
        text=prediction.text,
        segments=[_segment_record(segment) for segment in prediction.segments],
    )


def record_line(prediction: Prediction) -> str:
    """The record as one line of ASCII JSON, safe for every terminal, pipe and file name."""
    return json.dumps(record_of(prediction))


def prompt_words(prompt: Prompt) -> str | list[str]:
    """What was asked, in words: a text, category names, or the kinds of the regions."""
    match prompt:
        case Expression(text=text) | Question(text=text):
            return text
        case Categories(names=names):
            return list(names)
        case Regions(regions=regions):
            return [region.kind for region in regions]


def _segment_record(segment: Segment) -> SegmentRecord:
    return SegmentRecord(
        segmentation=segment.rle,
        bbox=list(segment.bbox),
        area=segment.area,
        score=round(segment.score, 6),
        label=segment.label,
        category_id=segment.category_id,
    )
