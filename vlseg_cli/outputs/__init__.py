"""Sinks: every file format a prediction can be written to, all atomic."""

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import record_line
from vlseg_cli.outputs.sink import Sink
from vlseg_cli.outputs.sinks import FORMATS, open_sinks

__all__ = ["FORMATS", "OutputFolder", "Sink", "open_sinks", "record_line"]
