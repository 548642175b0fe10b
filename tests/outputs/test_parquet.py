"""The Parquet table holds every segment, in row groups of bounded size."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from outputs.sample_records import in_video

from vlseg_cli.outputs import OutputFolder, check_formats
from vlseg_cli.outputs.parquet import write_parquet
from vlseg_cli.schema import RLE, OutputError, Record, UsageError, decode_rle


def test_rows_hold_the_segments(
    folder: OutputFolder, panoptic_record: Record, reason_record: Record
) -> None:
    write_parquet([panoptic_record, in_video(reason_record, 5)], folder)
    rows = pq.read_table(folder.root / "records.parquet").to_pylist()
    assert [row["segment"] for row in rows] == [0, 1, 2, 0]
    assert [row["label"] for row in rows[:3]] == ["sky", "table", "cup"]
    for row, segment in zip(rows, panoptic_record.segments, strict=False):
        rle = RLE(size=[row["height"], row["width"]], counts=row["counts"])
        assert np.array_equal(decode_rle(rle), decode_rle(segment.rle))
        assert (row["score"], row["area"], row["bbox"]) == (
            segment.score,
            segment.area,
            list(segment.bbox),
        )
    assert (rows[3]["prompt"], rows[3]["frame"], rows[3]["time"]) == (
        [reason_record.prompt],
        5,
        0.2,
    )


def test_a_record_without_segments_is_a_row(folder: OutputFolder, reason_record: Record) -> None:
    write_parquet([replace(reason_record, segments=(), input="caf\udce9.png")], folder)
    (row,) = pq.read_table(folder.root / "records.parquet").to_pylist()
    assert (row["input"], row["text"], row["segment"]) == ("caf?.png", "the fridge", None)


def test_row_groups_have_bounded_size(folder: OutputFolder, reason_record: Record) -> None:
    write_parquet((in_video(reason_record, frame) for frame in range(5000)), folder)
    data = pq.ParquetFile(folder.root / "records.parquet")
    groups = [data.metadata.row_group(number).num_rows for number in range(data.num_row_groups)]
    assert sum(groups) == 5000 and max(groups) <= 4096


def test_a_failing_write_leaves_no_file(folder: OutputFolder, reason_record: Record) -> None:
    def failing() -> Iterator[Record]:
        yield reason_record
        raise OutputError("the store is damaged")

    with pytest.raises(OutputError, match="damaged"):
        write_parquet(failing(), folder)
    assert list(folder.root.iterdir()) == []


def test_without_pyarrow_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UsageError, match=r'pip install "vlseg\[parquet\]"'):
        check_formats(["parquet"])
