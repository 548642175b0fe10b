"""The formats that ``--save`` knows, and how a run opens several at once."""

from collections.abc import Callable, Sequence

from vlseg_cli.outputs.coco import COCOSink
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.jsonl import JSONLSink
from vlseg_cli.outputs.overlay import OverlaySink
from vlseg_cli.outputs.panoptic import PanopticSink
from vlseg_cli.outputs.sink import Sink

FORMATS: dict[str, Callable[[OutputFolder], Sink]] = {
    "coco": COCOSink,
    "jsonl": JSONLSink,
    "overlay": OverlaySink,
    "panoptic": PanopticSink,
}


def open_sinks(formats: Sequence[str], folder: OutputFolder) -> list[Sink]:
    """Open one sink per format name, each a key of FORMATS."""
    return [FORMATS[name](folder) for name in formats]
