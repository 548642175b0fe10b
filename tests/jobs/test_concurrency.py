"""Several processes on one folder, and processes that are stopped."""

import signal
import time
from pathlib import Path

import pytest
from jobs.media_files import tree, write_photos
from jobs.process import finish, start
from jobs.stub import run_stub


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 16)


def test_processes_that_share_a_folder_do_each_input_once(photos: Path, tmp_path: Path) -> None:
    out, counts = tmp_path / "out", [tmp_path / f"count-{n}" for n in range(3)]
    processes = [start(out, photos, "--count", str(count)) for count in counts]
    for process in processes:
        finish(process)
    encoded = [
        line for count in counts if count.exists() for line in count.read_text().splitlines()
    ]
    assert len(encoded) == len(set(encoded)) == 16
    run_stub(tmp_path / "alone", [photos])
    assert tree(out) == tree(tmp_path / "alone")


@pytest.mark.parametrize("shards", [2, 3])
def test_shards_in_one_folder_equal_one_process(shards: int, photos: Path, tmp_path: Path) -> None:
    for index in range(shards):
        summary = run_stub(tmp_path / "out", [photos], shard=f"{index}/{shards}")
        assert summary.finished == (index == shards - 1)
    run_stub(tmp_path / "alone", [photos])
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_soon_with_its_code(
    number: int, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(out, photos, "--seconds", "0.5")
    while not list(out.glob(".vlseg/journal/*.jsonl")):
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 128 + number
    finish(start(out, photos))
    run_stub(tmp_path / "alone", [photos])
    assert tree(out) == tree(tmp_path / "alone")


def test_no_decoder_outlives_a_killed_job(photos: Path, tmp_path: Path) -> None:
    import psutil

    process = start(tmp_path / "out", photos, "--seconds", "0.5")
    parent = psutil.Process(process.pid)
    while not (children := parent.children()):
        time.sleep(0.02)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
