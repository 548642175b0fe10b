"""Output formats: every file is written atomically, from frames at hand or from records.

``formats`` names them; ``overlay`` (with ``labels`` and ``colors``), ``gallery`` and ``video``
(``encoder``, ``remux``) draw on frames; ``coco``, ``panoptic``, ``palette``, ``ytvis``, ``yolo``
and ``parquet`` convert ``records``; ``folder`` and ``atomic`` write.
"""

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.formats import FORMATS, check_formats, close_formats, open_sinks
from vlseg_cli.outputs.records import record_line
from vlseg_cli.outputs.sink import Sink

__all__ = [
    "FORMATS",
    "OutputFolder",
    "Sink",
    "check_formats",
    "close_formats",
    "open_sinks",
    "record_line",
]
