"""The record of one prediction, which ``--json`` prints and a job's record store holds.

A record is one line of ASCII JSON, safe for every terminal, pipe and file name, and is read back
equal. Documents too long for memory are written piece by piece, one entry a line.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from vlseg_cli.outputs.folder import OutputFolder, is_safe_name
from vlseg_cli.schema import (
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
    checked_rle,
)
from vlseg_cli.schema.files import parse_json, reason_of

_DIGITS = 6  # of a score

_LARGEST = 1e30  # of a number; all are far smaller

T = TypeVar("T")


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
        return _record(_of(parse_json(line), dict))
    except (KeyError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else reason_of(error)
        raise OutputError(
            f"A line of the record store is damaged ({reason}): restore the file, or run the job"
            " again with --overwrite."
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
    name, prompt = _of(fields["name"], str), fields["prompt"]
    if not is_safe_name(name):
        raise ValueError(f"{name!r} is no safe name")
    if not isinstance(prompt, str):
        prompt = tuple(_of(one, str) for one in _of(prompt, list))
    shape = _whole(fields["height"], 1), _whole(fields["width"], 1)
    names = len(prompt) if isinstance(prompt, tuple) else 0
    return Record(
        input=_of(fields["input"], str),
        name=name,
        is_video=_of(fields["video"], bool),
        frame=_whole(fields["frame"]),
        time=None if fields["time"] is None else _number(fields["time"]),
        width=shape[1],
        height=shape[0],
        task=Task(fields["task"]),
        prompt=prompt,
        stuff=tuple(_whole(one, 0, names) for one in _of(fields["stuff"], list)),
        text=_of(fields["text"], str),
        segments=tuple(_segment(one, shape, names) for one in _of(fields["segments"], list)),
    )


def _segment(fields: dict[str, Any], shape: tuple[int, int], names: int) -> Segment:
    x, y, width, height = map(_number, _of(_of(fields, dict)["bbox"], list))
    category, track = fields["category_id"], fields.get("track_id")
    return Segment(
        checked_rle(fields["segmentation"], shape),
        (x, y, width, height),
        _whole(fields["area"], 0, shape[0] * shape[1] + 1),
        _number(fields["score"]),
        _of(fields["label"], str),
        None if category is None else _whole(category, 0, names),
        None if track is None else _whole(track),
    )


def _of(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise ValueError(f"{ascii(value)[:40]} is no {kind.__name__}")
    return value


def _whole(value: Any, least: int = 0, end: int = 1 << 62) -> int:
    number = _of(value, int)
    if not least <= number < end:
        raise ValueError(f"{ascii(value)[:40]} is out of range")
    return number


def _number(value: Any) -> Any:
    """As it is: a whole number stays one."""
    if type(value) not in (int, float) or not -_LARGEST < value < _LARGEST:  # NaN is not
        raise ValueError(f"{ascii(value)[:40]} is no number of a record")
    return value


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
