"""A pin comes back as it was written, and a file that differs is said to."""

from pathlib import Path

import pytest

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.pins import Pin, PinnedFile, check_file, pinned_file, read_pin, write_pin


def test_a_pin_comes_back(tmp_path: Path) -> None:
    assert read_pin(tmp_path / "x" / "lock.json") is None
    pin = Pin("some/weights", "a" * 40).with_file("b/c", PinnedFile(3, "f" * 64))
    write_pin(tmp_path / "x" / "lock.json", pin)
    assert read_pin(tmp_path / "x" / "lock.json") == pin
    assert [file.name for file in (tmp_path / "x").iterdir()] == ["lock.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": {"x": 1}}', "[" * 999])
def test_a_damaged_pin_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.json").write_text(text)
    with pytest.raises(WeightsError, match=r"lock\.json is damaged; delete it if you trust"):
        read_pin(tmp_path / "lock.json")


def test_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    known = pinned_file(file)
    assert known.size == 3 and known.sha256.startswith("ba7816bf")
    assert check_file(file, "x", known) == ""
    file.write_bytes(b"abd")
    assert "x has SHA-256 a52d159f262b… instead of the pinned ba7816bf8f01…" in check_file(
        file, "x", known
    )
    file.write_bytes(b"ab")
    assert check_file(file, "x", known) == "x has 2 bytes instead of 3"
    file.unlink()
    assert check_file(file, "x", known) == "x is missing"
