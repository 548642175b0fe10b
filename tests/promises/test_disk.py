"""A full disk: one sentence, no partial file, and the job resumes when there is space."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from jobs.media_files import tree, write_photos
from jobs.process import STUB
from jobs.stub import StubModel, run_stub
from PIL import Image
from promises.crashes import start, wait

from vlseg_cli.jobs import merge_jobs
from vlseg_cli.schema import Frame, OutputError

# A limit on the size of files, from the first batch on, stands for the end of the disk: writing
# fails in the same place.
_LIMITED = """
import resource, signal, sys
from pathlib import Path
from jobs.stub import StubModel, run_stub
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
class Filling(StubModel):
    def encode(self, frames):
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        return super().encode(frames)
run_stub(Path(sys.argv[1]), sys.argv[2:], model=Filling())
"""


def _run_limited(limit: int, out: Path, photos: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, (str(STUB.parents[1]), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-c", _LIMITED.format(limit=limit), str(out), str(photos)],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_partial_file_is_left_and_the_job_resumes(tmp_path: Path) -> None:
    assert resource.RLIM_INFINITY  # this test needs a system with resource limits
    photos = write_photos(tmp_path / "photos", 6)
    out = tmp_path / "out"
    done = _run_limited(3000, out, photos)
    assert done.returncode != 0
    assert "cannot be written" in done.stderr
    for path in out.rglob("*.png"):
        Image.open(path).load()  # whole, or not there
    assert not (out / "coco.json").exists()
    run_stub(out, [photos])
    run_stub(tmp_path / "fresh", [photos])
    assert tree(out) == tree(tmp_path / "fresh")


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not _mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)):
        pytest.skip("mounting a disk needs the rights of root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


class Disturbed(StubModel):
    """Lets something happen before its second batch."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self.happens = happens

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        if len(self.batches) == 1:
            self.happens()
        return super().encode(frames)


def _check_refused(out: Path, photos: Path, model: StubModel, says: str) -> None:
    with pytest.raises(OutputError, match=says) as refused:
        run_stub(out, [photos], model=model)
    assert refused.value.exit_code == 74 and "\n" not in str(refused.value)


def test_a_full_disk_is_exit_74_and_the_job_resumes(small_disk: Path, tmp_path: Path) -> None:
    photos, filler = write_photos(tmp_path / "photos", 6), small_disk / "filler"

    def fill() -> None:
        with suppress(OSError), filler.open("wb", 0) as file:
            while file.write(bytes(512)):
                pass

    _check_refused(small_disk / "out", photos, Disturbed(fill), "no space left")
    _check_refused(small_disk / "out", photos, StubModel(), "no space left")
    filler.unlink()
    run_stub(small_disk / "out", [photos])
    run_stub(tmp_path / "fresh", [photos])
    assert tree(small_disk / "out") == tree(tmp_path / "fresh")


def test_so_is_a_read_only_disk(small_disk: Path, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 6)
    run_stub(small_disk / "out", [photos], shard="0/2")
    assert _mount("-o", "remount,ro", str(small_disk))
    _check_refused(small_disk / "out", photos, StubModel(), "read-only")
    _check_refused(small_disk / "other", photos, StubModel(), "read-only")
    assert _mount("-o", "remount,rw", str(small_disk))
    run_stub(small_disk / "out", [photos])
    run_stub(tmp_path / "fresh", [photos])
    assert tree(small_disk / "out") == tree(tmp_path / "fresh")


def test_so_is_a_folder_that_is_removed_while_the_job_runs(tmp_path: Path) -> None:
    photos, out = write_photos(tmp_path / "photos", 6), tmp_path / "out"
    _check_refused(out, photos, Disturbed(lambda: out.rename(tmp_path / "away")), "is gone")
    assert not out.exists()
    assert run_stub(out, [photos]).finished


def test_a_file_that_may_not_grow_is_one_sentence_of_the_command(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 1)
    done = subprocess.run(
        [sys.executable, "-m", "vlseg_cli", "detect", photos, "--out", tmp_path / "out"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 74
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{", '{"host": 3}'])
def test_a_damaged_lock_is_waited_for_only_as_long_as_it_may_be_held(
    tmp_path: Path, text: str
) -> None:
    photos, out = write_photos(tmp_path / "photos", 2), tmp_path / "out"
    out.mkdir()
    lock = out / ".vlseg.lease"
    lock.write_text(text)
    os.utime(lock, (0, 0))
    assert run_stub(out, [photos]).finished
    assert not lock.exists()


def test_a_merge_that_runs_out_of_space_leaves_no_half_file_and_is_repeated(
    tmp_path: Path,
) -> None:
    photos = write_photos(tmp_path / "photos", 6)
    roots = [tmp_path / "shard-0", tmp_path / "shard-1"]
    for index, root in enumerate(roots):
        run_stub(root, [photos], shard=f"{index}/2")
    out = tmp_path / "merged"

    def merge(_: Path) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        with pytest.raises(OutputError, match="cannot be written"):
            merge_jobs(roots, out)

    assert wait(start(merge, tmp_path)) == 0
    for path in out.rglob("*.png"):
        Image.open(path).load()
    assert not (out / "coco.json").exists()
    merge_jobs(roots, out)
    run_stub(tmp_path / "fresh", [photos])
    assert tree(out) == tree(tmp_path / "fresh")
