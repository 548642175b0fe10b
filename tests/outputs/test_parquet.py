"""The table holds every segment, in groups of bounded size."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from outputs.answers import in_video

from vlseg_cli.outputs import OutputFolder, check_formats
from vlseg_cli.outputs.parquet import write_parquet
from vlseg_cli.schema import RLE, OutputError, Record, UsageError, decode_rle


def test_rows_hold_the_segments(folder: OutputFolder, mapped: Record, asked: Record) -> None:
    write_parquet([mapped, in_video(asked, 5)], folder)
    rows = pq.read_table(folder.root / "records.parquet").to_pylist()
    assert [row["segment"] for row in rows] == [0, 1, 2, 0]
    assert [row["label"] for row in rows[:3]] == ["sky", "table", "cup"]
    for row, segment in zip(rows, mapped.segments, strict=False):
        rle = RLE(size=[row["height"], row["width"]], counts=row["counts"])
        assert np.array_equal(decode_rle(rle), decode_rle(segment.rle))
        assert (row["score"], row["area"], row["bbox"]) == (
            segment.score,
            segment.area,
            list(segment.bbox),
        )
    assert (rows[3]["prompt"], rows[3]["frame"], rows[3]["time"]) == ([asked.prompt], 5, 0.2)


def test_a_record_without_segments_is_a_row(folder: OutputFolder, asked: Record) -> None:
    write_parquet([replace(asked, segments=(), input="caf\udce9.png")], folder)
    (row,) = pq.read_table(folder.root / "records.parquet").to_pylist()
    assert (row["input"], row["text"], row["segment"]) == ("caf?.png", "the fridge", None)


def test_groups_are_of_bounded_size(folder: OutputFolder, asked: Record) -> None:
    write_parquet((in_video(asked, frame) for frame in range(5000)), folder)
    data = pq.ParquetFile(folder.root / "records.parquet")
    groups = [data.metadata.row_group(number).num_rows for number in range(data.num_row_groups)]
    assert sum(groups) == 5000 and max(groups) <= 4096


def test_what_fails_underway_leaves_nothing(folder: OutputFolder, asked: Record) -> None:
    def failing() -> Iterator[Record]:
        yield asked
        raise OutputError("the store is damaged")

    with pytest.raises(OutputError, match="damaged"):
        write_parquet(failing(), folder)
    assert list(folder.root.iterdir()) == []


def test_without_pyarrow_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UsageError, match=r'pip install "vlseg\[parquet\]"'):
        check_formats(["parquet"])
