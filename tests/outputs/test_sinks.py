"""Every format that can be asked for writes something of its own."""

from vlseg_cli.outputs import FORMATS, OutputFolder, open_sinks
from vlseg_cli.schema import Frame, Prediction


def test_all_formats_can_be_written_side_by_side(
    folder: OutputFolder, frame: Frame, panoptic: Prediction
) -> None:
    for sink in open_sinks(list(FORMATS), folder):
        sink.write(frame, "kitchen", [panoptic])
        sink.close()
    written = {str(p.relative_to(folder.root)) for p in folder.root.rglob("*") if p.is_file()}
    assert written == {
        "coco.json",
        "coco_results.json",
        "overlay/kitchen.png",
        "panoptic.json",
        "panoptic/kitchen.png",
        "predictions.jsonl",
    }
