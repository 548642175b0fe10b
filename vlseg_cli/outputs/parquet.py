"""``records.parquet``: a row per segment, for data frames; a record without segments is one row.

Rows are written in groups of bounded size, so memory does not grow with their number.
"""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Record, Segment, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 4096  # of a group: some 20 MB of masks


def check_pyarrow() -> None:
    """Raise UsageError unless pyarrow, an optional dependency, is installed."""
    if find_spec("pyarrow") is None:
        raise UsageError('The format parquet needs pyarrow: pip install "vlseg[parquet]".')


def write_parquet(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write all rows; columns as in the JSON record, a sentence being a prompt of one entry."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    rows = (row for record in records for row in _rows(record))
    target = folder.begin("records.parquet")
    with target.open_file() as file, pq.ParquetWriter(file, schema) as writer:
        while group := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema))
    target.commit()


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    prompt = (record.prompt,) if isinstance(record.prompt, str) else record.prompt
    row = {
        "input": _text(record.input),
        "name": record.name,
        "video": record.is_video,
        "frame": record.frame,
        "time": record.time,
        "width": record.width,
        "height": record.height,
        "task": record.task.value,
        "prompt": [_text(part) for part in prompt],
        "stuff": record.stuff,
        "text": _text(record.text),
    }
    for number, segment in enumerate(record.segments):
        yield row | {"segment": number} | _segment_columns(segment)
    if not record.segments:
        yield row


def _segment_columns(segment: Segment) -> dict[str, Any]:
    return {
        "label": _text(segment.label),
        "category_id": segment.category_id,
        "track_id": segment.track_id,
        "score": segment.score,
        "area": segment.area,
        "bbox": segment.bbox,
        "counts": segment.rle["counts"],
    }


def _text(text: str) -> str:
    """Valid UTF-8, which a file's name need not be."""
    return text.encode("utf-8", "replace").decode()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    return pa.schema(
        [
            ("input", pa.string()),
            ("name", pa.string()),
            ("video", pa.bool_()),
            ("frame", pa.int64()),
            ("time", pa.float64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("task", pa.string()),
            ("prompt", pa.list_(pa.string())),
            ("stuff", pa.list_(pa.int32())),
            ("text", pa.string()),
            ("segment", pa.int32()),
            ("label", pa.string()),
            ("category_id", pa.int32()),
            ("track_id", pa.int64()),
            ("score", pa.float64()),
            ("area", pa.int64()),
            ("bbox", pa.list_(pa.float64(), 4)),
            ("counts", pa.string()),
        ]
    )
