"""A process that is stopped at any event, while another takes over, changes nothing afterwards."""

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.media_files import write_photos
from promises.crashes import (
    count_events,
    everything_in,
    let_leases_expire,
    start,
    wait,
    wait_until_stopped,
)
from promises.scenarios import SCENARIOS, write_inputs

SAMPLE = 8  # pauses of a scenario in the normal suite
JOBS = ("images", "video", "track", "panoptic", "grown", "overwrite")


@pytest.mark.parametrize("changes_input", [False, True])
@pytest.mark.parametrize("name", JOBS)
def test_a_process_that_wakes_up_too_late_changes_nothing(
    name: str,
    changes_input: bool,
    tmp_path: Path,
    full_size: bool,
    record_property: Callable[[str, object], None],
) -> None:
    """With a changed input the other processes finish the job twice, before and after it."""
    scenario, folder, begun = SCENARIOS[name], tmp_path / "folder", tmp_path / "begun"
    inputs, kept = write_inputs(tmp_path / "inputs"), tmp_path / "kept"
    other = write_photos(tmp_path / "other", 6) / "005.png"
    shutil.copytree(inputs, kept)
    begun.mkdir()
    assert wait(start(lambda at: scenario.prepare(inputs, at), begun)) == 0

    def run(at: Path) -> object:
        return scenario.run(inputs, at)

    def begin() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(begun, folder)
        shutil.copytree(kept, inputs, dirs_exist_ok=True)

    def run_others() -> None:
        assert wait(start(run, folder)) == 0
        if changes_input:
            shutil.copy(other, inputs / "photos" / "000.png")
            assert wait(start(run, folder)) == 0

    begin()
    events = count_events(run, folder)
    begin()
    run_others()
    expected = everything_in(folder)
    points = range(1, events + 1)
    paused = 0
    for event in points if full_size else sorted(random.Random(name).sample(points, SAMPLE)):
        begin()
        late = start(run, folder, event, signal.SIGSTOP)
        if wait_until_stopped(late):
            paused += 1
            let_leases_expire(folder)
            run_others()
            assert _same(folder, expected), f"event {event}"
            os.kill(late, signal.SIGCONT)
            assert wait(late) == 0, f"event {event}"
        assert _same(folder, expected), f"event {event}"
    record_property("events", events)
    record_property("pauses", paused)


def _same(folder: Path, expected: dict[str, str]) -> bool:
    """``journal.jsonl`` has times of inputs, which were copied again."""
    found = everything_in(folder)
    return {k: v for k, v in found.items() if "journal.jsonl" not in k} == {
        k: v for k, v in expected.items() if "journal.jsonl" not in k
    }
