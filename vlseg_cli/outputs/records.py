"""The record of one prediction, which ``--json`` prints and a job's record store holds.

A record is one line of ASCII JSON, safe for every terminal, pipe and file name, and is read back
equal. Documents too long for memory are written piece by piece, one entry a line.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from vlseg_cli.outputs.folder import OutputFolder, is_safe_name
from vlseg_cli.schema import (
    RLE,
    Categories,
    Expression,
    Item,
    OutputError,
    Prediction,
    Prompt,
    Question,
    Record,
    Regions,
    Segment,
    Task,
)

_DIGITS = 6  # of a score


def make_record(
    prediction: Prediction, item: Item, time: float | None, exact: bool = False
) -> Record:
    """The record of a prediction for a frame of ``item``, ``time`` s after its first one.

    exact: scores are not rounded to 6 digits.
    """
    prompt = prediction.prompt
    is_stuff = prompt.stuff if isinstance(prompt, Categories) else ()
    return Record(
        input=item.source,
        name=item.name,
        is_video=item.is_video,
        frame=prediction.frame,
        time=time,
        width=prediction.width,
        height=prediction.height,
        task=prediction.task,
        prompt=prompt_text(prompt),
        stuff=tuple(index for index, stuff in enumerate(is_stuff) if stuff),
        text=prediction.text,
        segments=prediction.segments if exact else tuple(map(_rounded, prediction.segments)),
    )


def prompt_text(prompt: Prompt) -> str | tuple[str, ...]:
    """The text of a prompt, its category names, or the kinds of its regions."""
    match prompt:
        case Expression(text=text) | Question(text=text):
            return text
        case Categories(names=names):
            return names
        case Regions(regions=regions):
            return tuple(region.kind for region in regions)


def record_line(record: Record) -> str:
    """The record as one line of ASCII JSON, without the line's end."""
    return json.dumps(
        {
            "input": record.input,
            "name": record.name,
            "video": record.is_video,
            "frame": record.frame,
            "time": record.time,
            "width": record.width,
            "height": record.height,
            "task": record.task.value,
            "prompt": record.prompt,
            "stuff": record.stuff,
            "text": record.text,
            "segments": [_segment_json(segment) for segment in record.segments],
        }
    )


def read_record(line: str | bytes) -> Record:
    """The record of a line; the inverse of ``record_line``.

    Raises OutputError if the line is damaged, or names a file outside the output folder.
    """
    try:
        return _record(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputError(
            f"A line of the record store is damaged ({type(error).__name__}: {error}): restore the"
            " file, or run the job again with --overwrite."
        ) from error


def _rounded(segment: Segment) -> Segment:
    """With a rounded score, equal in every format."""
    return replace(segment, score=round(segment.score, _DIGITS))


def _segment_json(segment: Segment) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "segmentation": segment.rle,
        "bbox": segment.bbox,
        "area": segment.area,
        "score": segment.score,
        "label": segment.label,
        "category_id": segment.category_id,
    }
    if segment.track_id is not None:
        fields["track_id"] = segment.track_id
    return fields


def _record(fields: dict[str, Any]) -> Record:
    name, prompt, time = fields["name"], fields["prompt"], fields["time"]
    if not is_safe_name(name):
        raise ValueError(f"{name!r} is no safe name")
    size = [fields["height"], fields["width"]]
    if any(segment["segmentation"]["size"] != size for segment in fields["segments"]):
        raise ValueError("a mask has another size than its frame")
    return Record(
        input=fields["input"],
        name=name,
        is_video=bool(fields["video"]),
        frame=int(fields["frame"]),
        time=None if time is None else float(time),
        width=int(fields["width"]),
        height=int(fields["height"]),
        task=Task(fields["task"]),
        prompt=prompt if isinstance(prompt, str) else tuple(prompt),
        stuff=tuple(fields["stuff"]),
        text=fields["text"],
        segments=tuple(_segment(one) for one in fields["segments"]),
    )


def _segment(fields: dict[str, Any]) -> Segment:
    rle, (x, y, width, height) = fields["segmentation"], fields["bbox"]
    return Segment(
        RLE(size=rle["size"], counts=rle["counts"]),
        (x, y, width, height),
        int(fields["area"]),
        float(fields["score"]),
        fields["label"],
        fields["category_id"],
        fields.get("track_id"),
    )


class RecordFile:
    """The records of a JSONL file; each iteration opens it again, and memory stays constant."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Record]:
        """Raises OutputError if the file is gone, and with a line's number if that is damaged."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise OutputError(f"{self.path} cannot be read: is it still there?") from error
        with file:
            for number, line in enumerate(file, start=1):
                try:
                    yield read_record(line)
                except OutputError as error:
                    raise OutputError(f"{self.path}, line {number}: {error}") from error


def by_frame(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Consecutive records grouped by frame, as they are ordered in every store."""
    for _, group in groupby(records, key=lambda record: (record.name, record.frame)):
        yield list(group)


def json_object(members: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """An object, generated in order: a member may use results of those before it.

    A value is plain, or an iterator over its JSON, as from ``json_object`` and ``json_list``.
    """
    keys = ((json.dumps(name).encode() + b": ", value) for name, value in members)
    return _json_entries(b"{", keys, b"}")


def json_list(entries: Iterable[Any]) -> Iterator[bytes]:
    """A list, an entry a line; values as in ``json_object``."""
    return _json_entries(b"[", ((b"", entry) for entry in entries), b"]")


def _json_entries(
    opening: bytes, entries: Iterable[tuple[bytes, Any]], closing: bytes
) -> Iterator[bytes]:
    before = opening
    for key, value in entries:
        yield before + key
        yield from value if isinstance(value, Iterator) else (json.dumps(value).encode(),)
        before = b",\n"
    yield opening + closing if before == opening else closing


def write_jsonl(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write the lines of the record store."""
    lines = (record_line(record).encode() + b"\n" for record in records)
    folder.write_stream(lines, "predictions.jsonl")
