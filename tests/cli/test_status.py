"""`vlseg status` prints the counts, the running processes and the failures."""

from pathlib import Path

from vlseg_cli.cli.status import lines, plain
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
