"""Starts a job with the stub model as a process of its own, to be killed or observed."""

import os
import subprocess
import sys
from pathlib import Path

STUB = Path(__file__).parent / "stub.py"
SECONDS = "0.05"  # of work per batch, so that a run is long enough to be interrupted


def start(out: Path, inputs: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a job over ``inputs``; see the options of ``stub.py``."""
    command = [sys.executable, str(STUB), str(out), str(inputs), "--seconds", SECONDS, *more]
    paths = os.pathsep.join(filter(None, (str(STUB.parents[1]), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end, which must be successful."""
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
