"""``predictions.jsonl``: one JSON record per line, one line per prompt and frame."""

from collections.abc import Sequence

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import record_line
from vlseg_cli.schema import Frame, Prediction


class JSONLSink:
    """Writes records as they come; memory does not grow with their number."""

    def __init__(self, folder: OutputFolder) -> None:
        self._file = folder.begin("predictions.jsonl")

    def write(self, frame: Frame, name: str, predictions: Sequence[Prediction]) -> None:  # noqa: ARG002
        """Append a line per prediction."""
        for prediction in predictions:
            self._file.write(record_line(prediction).encode() + b"\n")

    def close(self) -> None:
        """Show the file."""
        self._file.commit()
