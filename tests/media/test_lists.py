"""Lists of paths are read as people and programs write them."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.media.lists import list_lines, stdin_lines
from vlseg_cli.schema import NoInputError


def test_blank_lines_comments_and_foreign_line_ends_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa.png\r\n\r\n  \n# comment\n b c.png\nlast#.png")
    assert list(list_lines(path)) == ["a.png", " b c.png", "last#.png"]


def test_paths_mean_the_working_folder_or_else_the_list_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, own = tmp_path / "work", tmp_path / "own"
    for folder, name in ((work, "both.png"), (own, "both.png"), (own, "beside.png")):
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    monkeypatch.chdir(work)
    (own / "list.txt").write_text("both.png\nbeside.png\nnowhere.png\n")
    assert list(list_lines(Path("../own/list.txt"))) == [
        "both.png",
        "../own/beside.png",
        "nowhere.png",
    ]


def test_any_file_name_survives_a_nul_list() -> None:
    names = ["two\nlines.png", " blank ", "#1", os.fsdecode(b"\xff\xfe.png"), "\r"]
    data = b"".join(os.fsencode(name) + b"\0" for name in names)
    assert list(stdin_lines(io.BytesIO(data), nul=True)) == names


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.text("ab é/.", min_size=1, max_size=9).filter(str.strip), max_size=40))
def test_lines_come_back_whatever_the_chunks(names: list[str]) -> None:
    padded = [name + "x" * 5000 for name in names]  # several chunks
    data = "\n".join(padded).encode()
    assert list(stdin_lines(io.BytesIO(data), nul=False)) == padded


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"x" * 200_000)
    with pytest.raises(NoInputError, match="longer than any path"):
        list(list_lines(path))
    with pytest.raises(NoInputError, match="cannot be read"):
        list(list_lines(tmp_path / "missing.txt"))
