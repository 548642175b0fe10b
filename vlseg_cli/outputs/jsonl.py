"""``predictions.jsonl``: one JSON record per line, one line per prompt and frame."""

from collections.abc import Iterable

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import record_line
from vlseg_cli.schema import Record


def write_jsonl(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write the lines of the record store."""
    lines = (record_line(record).encode() + b"\n" for record in records)
    folder.write_stream(lines, "predictions.jsonl")
