"""A command line, once understood, can be written down and asked again; folders never mix jobs."""

from pathlib import Path
from typing import Any

import pytest
import typer

from vlseg_cli.cli.app import load
from vlseg_cli.cli.build_job import arguments
from vlseg_cli.jobs.job import read_job


def context(words: list[str]) -> typer.Context:
    """What a command makes of its words, without running it."""
    made: typer.Context = load(words[0]).make_context(words[0], words[1:])
    return made


def meant(words: list[str]) -> dict[str, Any]:
    """The values of all options that can change a result."""
    neutral = ("out", "overwrite", "shard", "quiet", "as_json", "progress", "fail_fast", "device")
    return {name: value for name, value in context(words).params.items() if name not in neutral}


LINES = [
    ["reason", "a.png", "b c.png", "what -- is it?"],
    ["reason", "-0", "-", "-q", "--json", "-q", "two"],
    ["refer", "a.png", "the cup", "--many", "--threshold", "0.25", "--model", "my model"],
    ["segment", "a.png", "--point", "1,2", "--point", "3,4", "--mask", "m.png", "--save", "coco"],
    ["segment", "films/", "--task", "semantic", "--categories", "cup, table", "--stride", "5"],
    ["detect", "--start", "1:30", "--end", "0:02:00.5", "--max-frames", "9", "--", "-odd.mp4"],
    ["detect", "--prompts", "rows.csv", "--batch-size", "7"],
    ["segment"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_the_arguments_mean_what_was_meant(words: list[str]) -> None:
    again = list(arguments(context(words)))
    assert again[0] == words[0]
    assert meant(again) == meant(words)
    assert arguments(context(again)) == tuple(again)


def test_what_changes_no_result_is_left_out() -> None:
    neutral = ["--out", "x", "--overwrite", "--shard", "0/2", "--quiet", "--json", "--fail-fast"]
    neutral += ["--device", "cpu", "--progress", "lines"]
    words = ["refer", "a.png", "the cup"]
    assert arguments(context(words + neutral)) == arguments(context(words))


def test_another_question_goes_to_another_folder(vlseg, kitchen: Path) -> None:
    for prompt, expected in [("one", "vlseg-out"), ("two", "vlseg-out-2"), ("one", "vlseg-out")]:
        ran = vlseg("refer", "kitchen.png", prompt, "--save", "jsonl")
        assert ran.code == 0
        assert f"Saved in {expected}: " in ran.err
        assert ("holds another job; this one goes to" in ran.err) is (expected != "vlseg-out")
    job = read_job(kitchen.parent / "vlseg-out-2")
    assert job is not None and job.asked == {"task": "refer", "sentences": ["two"]}


def test_a_folder_that_was_named_is_never_mixed(vlseg, kitchen: Path) -> None:
    asked = ["--save", "jsonl", "--out", "out"]
    assert vlseg("refer", "kitchen.png", "one", *asked).code == 0
    ran = vlseg("refer", "kitchen.png", "two", *asked)
    assert ran.code == 2 and "another job" in ran.err and "--overwrite" in ran.err
    ran = vlseg("refer", "kitchen.png", "one", *asked, "--dtype", "bfloat16")
    assert ran.code == 2 and "--dtype was float32, now bfloat16" in ran.err
    assert vlseg("refer", "kitchen.png", "two", *asked, "--overwrite").code == 0
