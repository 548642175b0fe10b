"""`vlseg status`, `retry` and `merge` of the folders of real jobs."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest
from jobs.media_files import tree

from vlseg_cli.cli.job_folder import lines, plain
from vlseg_cli.cli.main import main
from vlseg_cli.jobs import Job, Status
from vlseg_cli.jobs.lease import Holder

JOB = Job(("refer", "--", "a b.png", "the cup"), "embedded 12", {}, {})


def status(failed: int = 0, finished: bool = False, *holders: Holder) -> Status:
    failures = tuple((f"{n}.png", "is damaged.") for n in range(failed))
    return Status(JOB, 10_000, 1200, failures, 4200, finished, holders)


def test_the_counts_come_first() -> None:
    assert list(lines(status(), Path("out"))) == [
        "out: interrupted, 1,200 of 10,000 inputs done, 4,200 frames, 0 failed",
        "  vlseg refer -- 'a b.png' 'the cup'",
    ]


def test_running_processes_are_listed() -> None:
    printed = list(lines(status(0, False, Holder("node-7 abc", 42, "token", 3.0)), Path("out")))
    assert printed[0].startswith("out: running, ")
    assert "  process 42 on node-7" in printed


def test_some_failures_and_the_file_of_all() -> None:
    printed = list(lines(status(12, True), Path("my out")))
    assert printed[0].startswith("my out: finished, ")
    assert printed[2] == "  failed: 0.png: is damaged."
    assert printed[-2] == "  and 2 more; all are in my out/failures.jsonl"
    assert printed[-1] == "  vlseg retry 'my out' tries the failed ones again"


def test_json_has_everything() -> None:
    report = plain(status(2, False, Holder("node", 42, "token", 3.0)))
    assert report["failed"][1] == {"input": "1.png", "error": "is damaged."}
    assert report["at_work"][0]["pid"] == 42
    assert report["job"]["arguments"] == JOB.arguments


@pytest.fixture
def damaged(kitchen: Path) -> Path:
    """A second image, truncated."""
    broken = kitchen.parent / "broken.png"
    broken.write_bytes(kitchen.read_bytes()[:200])
    return broken


def test_a_repaired_input_is_processed_with_the_same_prompts(
    vlseg, kitchen: Path, damaged: Path
) -> None:
    words = ["--out", "out", "--save", "jsonl", "-t", "the sky", "--many", "--threshold", "0.2"]
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


def test_merged_shards_equal_one_run(vlseg, kitchen: Path) -> None:
    for name in ["a.png", "b.png", "c.png"]:
        shutil.copy(kitchen, kitchen.parent / name)
    command = ["detect", "*.png", "--save", "coco", "--batch-size", "1"]
    assert vlseg(*command, "--out", "whole").code == 0
    for shard in ["0", "1"]:
        assert vlseg(*command, "--out", f"shard-{shard}", "--shard", f"{shard}/2").code == 0
    ran = vlseg("merge", "shard-0", "shard-1", "--out", "merged", "--json")
    assert json.loads(ran.out) == {"inputs": 4, "out": "merged"}
    here = kitchen.parent
    for name in ["records.jsonl", "coco.json", "coco_results.json"]:
        assert tree(here / "merged")[name] == tree(here / "whole")[name]
