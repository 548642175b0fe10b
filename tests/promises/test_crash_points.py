"""Killed at any file-system event, once or twice: the same command leaves the same tree."""

import random
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from promises.crashes import KILLED, count_events, everything_in, start, wait
from promises.scenarios import SCENARIOS, write_inputs

SECOND = 3  # further kills after each first one, in full


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def _schedule(
    events: int, moments: random.Random, sample: int, full_size: bool
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """First events to be killed at, each with none or one of the run after it."""
    firsts = range(1, events + 1)
    if not full_size:
        firsts = sorted(moments.sample(firsts, min(sample, events)))
    for number, first in enumerate(firsts):
        second = (moments.randint(1, events) for _ in range(SECOND))
        if full_size:
            yield first, ()
            yield from ((first, (one,)) for one in second)
        else:
            yield first, (next(second),) if number % 2 else ()


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_an_event_and_started_again(
    name: str,
    inputs: Path,
    tmp_path: Path,
    full_size: bool,
    record_property: Callable[[str, object], None],
) -> None:
    scenario, folder, begun = SCENARIOS[name], tmp_path / "folder", tmp_path / "begun"
    begun.mkdir()
    for module in scenario.imports:
        import_module(module)
    assert wait(start(lambda at: scenario.prepare(inputs, at), begun)) == 0

    def run(at: Path) -> object:
        return scenario.run(inputs, at)

    def begin() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(begun, folder)

    begin()
    events = count_events(run, folder)
    expected = everything_in(folder)
    moments, kills = random.Random(name), 0
    for first, second in _schedule(events, moments, scenario.sample, full_size):
        begin()
        for event in (first, *second):
            kills += wait(start(run, folder, event)) == KILLED
        assert wait(start(run, folder)) == 0, f"event {first}, then {second}"
        assert everything_in(folder) == expected, f"event {first}, then {second}"
    record_property("events", events)
    record_property("kills", kills)
