"""`vlseg retry` processes failed inputs again with the same prompts."""

import io
import json
import sys
from pathlib import Path

import pytest

from vlseg_cli.cli.main import main


@pytest.fixture
def damaged(kitchen: Path) -> Path:
    """A second image, truncated."""
    broken = kitchen.parent / "broken.png"
    broken.write_bytes(kitchen.read_bytes()[:200])
    return broken


def test_a_repaired_input_is_processed_with_the_same_prompts(
    vlseg, kitchen: Path, damaged: Path
) -> None:
    words = ["--out", "out", "--save", "jsonl", "-q", "the sky", "--many", "--threshold", "0.2"]
    assert vlseg("refer", ".", *words).code == 3
    status = vlseg("status", "out")
    assert status.out.startswith("out: finished, 2 of 2 inputs done, 1 frame, 1 failed\n")
    assert "failed: broken.png is damaged" in status.out
    assert "refer '--text=the sky' --many --threshold=0.2" in status.out

    damaged.write_bytes(kitchen.read_bytes())
    ran = vlseg("retry", "out", "--json", "--quiet")
    assert ran.code == 0
    assert [record["input"] for record in ran.records] == ["broken.png"]
    assert {record["prompt"] for record in ran.records} == {"the sky"}
    report = json.loads(vlseg("status", "out", "--json").out)
    assert (report["finished"], report["total"], report["done"]) == (True, 2, 2)
    assert (report["failed"], report["at_work"]) == ([], [])
    assert "Nothing failed" in vlseg("retry", "out").err


def test_inputs_from_stdin_need_not_be_given_again(
    vlseg, kitchen: Path, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"broken.png\nkitchen.png\nmissing.png\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["detect", "-", "--out", "out", "--save", "jsonl"]) == 3
    damaged.write_bytes(kitchen.read_bytes())
    assert vlseg("retry", "out").code == 0
    failed = json.loads(vlseg("status", "out", "--json").out)["failed"]
    assert [one["input"] for one in failed] == ["missing.png"]


@pytest.mark.parametrize("command", ["status", "retry"])
def test_a_folder_without_a_job_is_an_error(vlseg, kitchen: Path, command: str) -> None:
    ran = vlseg(command, ".")
    assert ran.code == 2 and "holds no job" in ran.err and ran.err.count("\n") == 1
