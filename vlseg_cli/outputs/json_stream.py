"""JSON documents too long for memory, put together piece by piece; one entry a line."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import record_line
from vlseg_cli.schema import Record


def json_object(members: Iterable[tuple[str, Iterator[bytes]]]) -> Iterator[bytes]:
    """An object of members that are JSON already.

    They are walked through in their order, so one may use what another before it has found out.
    """
    opening = b"{"
    for name, value in members:
        yield opening + json.dumps(name).encode() + b": "
        yield from value
        opening = b",\n"
    yield b"{}" if opening == b"{" else b"}"


def json_list(entries: Iterable[Any]) -> Iterator[bytes]:
    """A list of plain values."""
    opening = b"["
    for entry in entries:
        yield opening + json.dumps(entry).encode()
        opening = b",\n"
    yield b"[]" if opening == b"[" else b"]"


def json_entries(entries: Iterable[Iterator[bytes]]) -> Iterator[bytes]:
    """A list of entries that are JSON already, each walked through in its turn."""
    opening = b"["
    for entry in entries:
        yield opening
        yield from entry
        opening = b",\n"
    yield b"[]" if opening == b"[" else b"]"


def json_value(value: Any) -> Iterator[bytes]:
    """A plain value, whole."""
    yield json.dumps(value).encode()


def write_jsonl(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write the lines of the record store."""
    lines = (record_line(record).encode() + b"\n" for record in records)
    folder.write_stream(lines, "predictions.jsonl")
