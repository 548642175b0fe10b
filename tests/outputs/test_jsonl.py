"""One line per prompt and frame."""

from vlseg_cli.outputs import OutputFolder, record_line
from vlseg_cli.outputs.jsonl import write_jsonl
from vlseg_cli.schema import Record


def test_lines_are_those_of_the_record_store(
    folder: OutputFolder, asked: Record, mapped: Record
) -> None:
    write_jsonl([asked, mapped, asked], folder)
    lines = (folder.root / "predictions.jsonl").read_text().splitlines()
    assert lines == [record_line(asked), record_line(mapped), record_line(asked)]
