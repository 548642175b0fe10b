"""A full disk: one sentence, no partial file, and the job resumes when there is space."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from jobs.media_files import tree, write_photos
from jobs.process import STUB
from jobs.stub import run_stub
from PIL import Image

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
