"""A lease has one holder; only a stale one is taken over."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vlseg_cli.jobs.lease import STALE_AFTER, Leases, holders, locked, read_holder, this_host


def _write(folder: Path, name: str, host: str, pid: int, age: float = 0.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lease"
    path.write_text(json.dumps({"host": host, "pid": pid, "token": "another"}))
    if age:
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))
    return path


def _ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_one_holds_a_lease(tmp_path: Path) -> None:
    one, other = Leases(tmp_path), Leases(tmp_path)
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
    leases = [Leases(tmp_path) for _ in range(8)]
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
    leases = Leases(tmp_path)
    assert leases.acquire("7")
    leases.close()


def test_a_lease_from_elsewhere_is_respected_until_it_is_stale(tmp_path: Path) -> None:
    leases = Leases(tmp_path)
    path = _write(tmp_path, "7", "elsewhere", 1)
    assert not leases.acquire("7")
    path.unlink()
    _write(tmp_path, "7", "elsewhere", 1, age=STALE_AFTER + 1)
    assert leases.acquire("7")
    holder = read_holder(path)
    assert holder is not None
    assert holder.pid == os.getpid()
    leases.close()


def test_an_empty_lease_becomes_stale_by_age(tmp_path: Path) -> None:
    path = tmp_path / "7.lease"
    path.touch()
    leases = Leases(tmp_path)
    assert not leases.acquire("7")
    then = path.stat().st_mtime - STALE_AFTER - 1
    os.utime(path, (then, then))
    assert leases.acquire("7")
    leases.close()


def test_holders_are_listed(tmp_path: Path) -> None:
    leases = Leases(tmp_path)
    leases.acquire("1")
    leases.acquire("2")
    assert [holder.pid for holder in holders(tmp_path)] == [os.getpid()] * 2
    leases.close()
    assert holders(tmp_path) == []


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    with locked(tmp_path, "job"), pytest.raises(TimeoutError), locked(tmp_path, "job", wait=0.1):
        pass
    with locked(tmp_path, "job"):
        pass
