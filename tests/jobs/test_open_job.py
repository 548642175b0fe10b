"""Leftovers of a run that was killed while it finished are removed by the next run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jobs.media_files import tree, write_photos
from jobs.stub import StubModel, run_stub

from vlseg_cli.jobs.job import LOCK, REMOVED_STATE, STATE_FOLDER
from vlseg_cli.jobs.lease import this_host
from vlseg_cli.schema import UsageError


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 3)


def _gone() -> str:
    """A lease of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return json.dumps({"host": this_host(), "pid": process.pid, "token": "gone"})


def test_a_half_removed_state_folder_is_removed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_stub(out, [photos])
    expected = tree(out)
    (out / REMOVED_STATE / "journal").mkdir(parents=True)
    (out / REMOVED_STATE / "journal" / "a.jsonl").write_text("{}")
    (out / "overlay" / ".0123456789abcdef.part").write_text("half")
    model = StubModel()
    run_stub(out, [photos], model=model)
    assert tree(out) == expected
    assert not (out / REMOVED_STATE).exists()
    assert model.batches == []


def test_a_lock_of_a_killed_process_is_taken_and_removed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_stub(out, [photos])
    expected = tree(out)
    (out / f"{LOCK}.lease").write_text(_gone())
    run_stub(out, [photos])
    assert tree(out) == expected


def test_a_job_killed_before_its_first_lease_is_resumed(photos: Path, tmp_path: Path) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    run_stub(fresh, [photos])
    run_stub(out, [photos], shard="1/2")
    (out / STATE_FOLDER / "leases").rmdir()
    run_stub(out, [photos])
    assert tree(out) == tree(fresh)


def test_a_running_job_is_not_overwritten(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_stub(out, [photos], shard="1/2")
    holder = {"host": "elsewhere", "pid": 1, "token": "another"}
    (out / STATE_FOLDER / "leases" / "0.lease").write_text(json.dumps(holder))
    with pytest.raises(UsageError, match="is running"):
        run_stub(out, [photos], overwrite=True)
