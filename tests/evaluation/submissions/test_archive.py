"""Archives: what went in comes out, and the same files make the same bytes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluation.submissions.xlsx import read_rows

from vlseg_cli.evaluation.submissions.archive import check_xlsx, write_archive, write_xlsx
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import UsageError

FILES = [("a/b.txt", b"one"), ("ü.bin", bytes(1000))]


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        write_archive(OutputFolder(tmp_path), iter(FILES), "x", name)
    first, second = (tmp_path / "x" / name for name in ("first.zip", "second.zip"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == FILES


def test_a_failed_archive_leaves_no_file(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise KeyError

    with pytest.raises(KeyError):
        write_archive(OutputFolder(tmp_path), files(), "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_cells_hold_what_was_written(tmp_path: Path) -> None:
    texts = ["plain", "<a> & 'b'", "two\nlines", "\x00bell\x07", "=1+1", "请"]
    rows = [["name", "n"], *([text, 7] for text in texts)]
    for name in ("t.xlsx", "again.xlsx"):
        write_xlsx(OutputFolder(tmp_path), rows, name)
    assert read_rows(tmp_path / "t.xlsx") == [
        ["name", "n"],
        *([text.strip("\x00\x07"), "7"] for text in texts),
    ]
    assert (tmp_path / "t.xlsx").read_bytes() == (tmp_path / "again.xlsx").read_bytes()


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlseg_cli.evaluation.submissions.archive.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install \"vlseg\[xlsx\]\""):
        check_xlsx()
