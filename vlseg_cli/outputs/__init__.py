"""Every format an answer can be written to, all atomic, all from one kind of record."""

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.formats import FORMATS, Sink, check_formats, close_formats, open_sinks
from vlseg_cli.outputs.records import record_line

__all__ = [
    "FORMATS",
    "OutputFolder",
    "Sink",
    "check_formats",
    "close_formats",
    "open_sinks",
    "record_line",
]
