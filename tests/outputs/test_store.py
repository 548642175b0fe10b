"""A record store is read line by line, again and again."""

from pathlib import Path

import pytest
from outputs.answers import in_video

from vlseg_cli.outputs.records import record_line
from vlseg_cli.outputs.store import RecordFile, by_frame
from vlseg_cli.schema import OutputError, Record


def test_a_store_can_be_walked_through_several_times(tmp_path: Path, asked: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(asked)}\n" * 3)
    records = RecordFile(path)
    assert list(records) == list(records) == [asked] * 3


def test_damage_is_told_with_its_line(tmp_path: Path, asked: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(asked)}\nrubbish\n")
    with pytest.raises(OutputError, match="line 2"):
        list(RecordFile(path))


def test_frames_are_told_apart_by_item_and_number(asked: Record, mapped: Record) -> None:
    records = [asked, mapped, in_video(asked, 0), in_video(mapped, 0), in_video(asked, 3)]
    assert [len(frame) for frame in by_frame(records)] == [2, 2, 1]


def test_a_store_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        list(RecordFile(tmp_path / "records.jsonl"))
