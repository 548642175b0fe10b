"""One line per prompt and frame."""

import json

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.jsonl import JSONLSink
from vlseg_cli.schema import Frame, Prediction


def test_lines_come_in_the_order_of_frames_and_prompts(
    folder: OutputFolder, frame: Frame, reason: Prediction, panoptic: Prediction
) -> None:
    sink = JSONLSink(folder)
    sink.write(frame, "kitchen", [reason, panoptic])
    sink.write(frame, "kitchen-2", [panoptic])
    assert not (folder.root / "predictions.jsonl").exists()
    sink.close()
    lines = (folder.root / "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["task"] for line in lines] == ["reason", "panoptic", "panoptic"]
