"""A lease has one holder; only a stale one is taken over."""

import json
import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from vlseg_cli.jobs.lease import (
    STALE_AFTER,
    Leases,
    holders,
    locked,
    read_holder,
    this_host,
    worker_name,
)
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import FencedError, UsageError


def _write(folder: Path, name: str, host: str, pid: int, age: float = 0.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lease"
    path.write_text(json.dumps({"host": host, "pid": pid, "token": "another"}))
    if age:
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))
    return path


def _leases(folder: Path) -> Leases:
    return Leases(folder, worker_name(), folder / "work")


def _locked(folder: Path, wait: float = 10) -> AbstractContextManager[int]:
    return locked(folder, "job", worker_name(), folder / "work", wait)


def _ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_one_holds_a_lease(tmp_path: Path) -> None:
    one, other = _leases(tmp_path), _leases(tmp_path)
    assert one.acquire("7")
    assert not other.acquire("7")
    other.release("7")  # not its own: stays
    assert not other.acquire("7")
    one.release("7")
    assert other.acquire("7")
    one.close()
    other.close()
    assert not list(tmp_path.iterdir())


def test_many_threads_race_for_one_lease(tmp_path: Path) -> None:
    leases = [_leases(tmp_path) for _ in range(8)]
    won: list[int] = []

    def race(index: int) -> None:
        for name in map(str, range(20)):
            if leases[index].acquire(name):
                won.append(int(name))

    threads = [threading.Thread(target=race, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(20))
    for one in leases:
        one.close()


def test_a_lease_of_an_ended_process_is_taken_over(tmp_path: Path) -> None:
    _write(tmp_path, "7", this_host(), _ended_process())
    leases = _leases(tmp_path)
    assert leases.acquire("7")
    leases.close()


def test_a_lease_from_elsewhere_is_respected_until_it_is_stale(tmp_path: Path) -> None:
    leases = _leases(tmp_path)
    path = _write(tmp_path, "7", "elsewhere", 1)
    assert not leases.acquire("7")
    path.unlink()
    _write(tmp_path, "7", "elsewhere", 1, age=STALE_AFTER + 1)
    assert leases.acquire("7")
    holder = read_holder(path)
    assert holder is not None
    assert holder.pid == os.getpid()
    leases.close()


def test_a_lease_from_the_future_is_stale(tmp_path: Path) -> None:
    """Its clock was wrong when it was renewed for the last time; it would be held for ever."""
    _write(tmp_path, "7", "elsewhere", 1, age=-3600)
    leases = _leases(tmp_path)
    assert leases.acquire("7")
    leases.close()


def test_numbers_only_grow(tmp_path: Path) -> None:
    one, other = _leases(tmp_path), _leases(tmp_path)
    numbers = []
    for leases in (one, other, one):
        numbers.append(leases.acquire("7", above=max(numbers, default=0)))
        leases.release("7")
    assert numbers == sorted(set(numbers)) and numbers[0] > 0
    for leases in (one, other):
        leases.close()


def test_the_former_holder_of_a_stale_lease_can_change_nothing(tmp_path: Path) -> None:
    stopped, other = _leases(tmp_path), _leases(tmp_path)
    first = stopped.acquire("7")
    stopped.check("7")
    folder = OutputFolder(tmp_path)
    folder.stage_in("work", stopped.worker)
    file = folder.begin("result.txt")
    then = (tmp_path / "7.lease").stat().st_mtime - STALE_AFTER - 1
    os.utime(tmp_path / "7.lease", (then, then))
    assert other.acquire("7") > first
    with pytest.raises(FencedError):
        stopped.check("7")
    with pytest.raises(FencedError):
        file.commit()
    with pytest.raises(FencedError):
        folder.write(b"late", "result.txt")
    stopped.release("7")
    other.check("7")
    assert not (tmp_path / "result.txt").exists()
    for leases in (stopped, other):
        leases.close()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x"}', '{"host": 1, "pid": 1e400}'])
def test_a_damaged_lease_becomes_stale_by_age(tmp_path: Path, text: str) -> None:
    path = tmp_path / "7.lease"
    path.write_text(text)
    leases = _leases(tmp_path)
    assert not leases.acquire("7")
    then = path.stat().st_mtime - STALE_AFTER - 1
    os.utime(path, (then, then))
    assert leases.acquire("7")
    leases.close()


def test_holders_are_listed(tmp_path: Path) -> None:
    leases = _leases(tmp_path)
    leases.acquire("1")
    leases.acquire("2")
    assert [holder.pid for holder in holders(tmp_path)] == [os.getpid()] * 2
    leases.close()
    assert holders(tmp_path) == []


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    with _locked(tmp_path):
        held = pytest.raises(UsageError, match=f"held by process {os.getpid()}")
        with held, _locked(tmp_path, wait=0.1):
            pass
    with _locked(tmp_path):
        pass
