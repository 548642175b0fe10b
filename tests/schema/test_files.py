"""Only regular files within a limit are opened; hostile JSON and TOML are a ValueError."""

import os
from pathlib import Path

import pytest

from vlseg_cli.schema.files import (
    open_regular,
    parse_json,
    read_json,
    read_regular,
    read_toml,
    reason_of,
)

DEEP = 200_000


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'{"a": [1, "\xc3\xa9"]}')
    assert read_json(file) == {"a": [1, "é"]}
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_regular(link) == file.read_bytes()
    toml = tmp_path / "a.toml"
    toml.write_text("[x]\ny = 1\n")
    assert read_toml(toml) == {"x": {"y": 1}}


def test_pipes_devices_folders_and_impossible_paths_are_refused(tmp_path: Path, fifo: Path) -> None:
    said = {
        fifo: "not a regular file",
        Path("/dev/zero"): "not a regular file",
        tmp_path: "is a directory",
        tmp_path / "missing": "no such file or directory",
        Path("a\0b"): "no possible path",
    }
    for path, reason in said.items():
        with pytest.raises(OSError) as caught:
            read_regular(path)
        assert reason_of(caught.value) == reason


def test_a_file_that_becomes_a_pipe_does_not_block(
    tmp_path: Path, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("{}")
    status = file.stat()
    monkeypatch.setattr(Path, "stat", lambda _path: status)
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(fifo)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as opened:
        opened.truncate(1 << 40)  # sparse
    with pytest.raises(OSError, match=r"1,099,512 MB, over the limit of 268 MB"):
        read_regular(file)
    with open_regular(file, None) as opened:
        assert opened.read(2) == b"\0\0"
    with pytest.raises(OSError, match="over the limit"):
        read_regular(Path("/proc/self/maps"), 16)  # states a size of 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * DEEP, "nested too deeply"),
        ('{"a":' * DEEP, "nested too deeply"),
        ("9" * 5000, "limit"),
        ('{"a": ', "line 1 column"),
        (b'"\xff"', "not UTF-8"),
    ],
)
def test_damaged_json_is_a_value_error(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_json(text)
    assert said in reason_of(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = " + b"[" * DEEP, "nested too deeply"),
        (b"a = " + b"9" * 5000, "limit"),
        (b"a = \xff", "not UTF-8"),
        (b"a = ", "Invalid value"),
    ],
)
def test_damaged_toml_is_a_value_error(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        read_toml(file)
    assert said in reason_of(caught.value)
