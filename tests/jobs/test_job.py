"""``job.json`` identifies a job over releases; tracking states are stored bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.jobs.job import Job, existing_job, read_job, read_state, write_job, write_state
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import UsageError

JOB = Job(("refer", "--", "a.png", "the cup"), "m 1", ["the cup"], {"batch_size": 4}, "0.1.0")


def test_a_job_is_read_back(tmp_path: Path) -> None:
    write_job(OutputFolder(tmp_path), JOB)
    assert read_job(tmp_path) == JOB
    values = json.loads((tmp_path / "job.json").read_text())
    keys = {"arguments", "model", "asked", "options", "version", "fingerprint", "check"}
    assert set(values) == keys


def test_the_fingerprint_is_that_of_the_release_before() -> None:
    """Computed by its code; otherwise a folder of that release would not be found again."""
    assert JOB.fingerprint == "2c56e51df51f12aa28dee8b5ea07b52a5d24116149e390a4df8f833fd8298a66"


def test_the_first_difference_is_named() -> None:
    other = Job(("refer",), "m 1", ["the cup"], {"batch_size": 8}, "0.1.0")
    assert JOB.difference(other) == "--batch-size was 4, now 8"
    assert JOB.difference(Job((), "m 1", ["the cup"], {"batch_size": 4}, "0.1.0")) == ""


def test_of_long_values_the_place_where_they_differ_is_shown() -> None:
    names = [f"category {number}" for number in range(50)]
    mine, theirs = (
        Job((), "m 1", {"categories": [*names[:40], name, *names[41:]]}, {})
        for name in ("cup", "table")
    )
    said = mine.difference(theirs)
    was, now = said.split(", now ")
    assert '"cup"' in was and '"table"' in now and "category 39" in was
    assert said.startswith("what is asked was …") and len(said) < 170
    encoder = "0.1.0 (PyAV 18.1.0, libavcodec 62.28.100, libx264 of one build and "
    mine, theirs = (Job((), "m", [], {}, f"{encoder}{one} more)") for one in ("no", "some"))
    was, now = mine.difference(theirs).split(", now ")
    assert was.endswith("no more)") and now.endswith("some more)")


def test_folders_without_a_job_or_with_a_damaged_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no job"):
        existing_job(tmp_path)
    write_job(OutputFolder(tmp_path), JOB)
    whole = (tmp_path / "job.json").read_text()
    for text in ("{", "[]", "[" * 100_000, whole.replace('"batch_size": 4', '"batch_size": "4"')):
        (tmp_path / "job.json").write_text(text)
        with pytest.raises(UsageError, match="is damaged or no job of vlseg"):
            existing_job(tmp_path)


def test_states_come_back_bit_for_bit(tmp_path: Path) -> None:
    state = {
        "0.masks": np.random.default_rng(1).random((3, 4, 5)) > 0.5,
        "0.batches": np.random.default_rng(2).random((3, 7), np.float32),
        "numbers": np.array(5),
        "none": np.zeros((0, 4), np.int64),
    }
    folder = OutputFolder(tmp_path)
    write_state(folder, 7, 2, state)
    back = read_state(folder, 7, 2)
    assert back is not None and set(back) == set(state)
    for name, array in state.items():
        assert back[name].dtype == array.dtype and np.array_equal(back[name], array)
    assert read_state(folder, 7, 3) is None
