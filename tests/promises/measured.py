"""Starts ``stream.py`` as a process of its own and reads what it says of its memory."""

import os
import subprocess
import sys
from pathlib import Path

from scipy.stats import theilslopes

STREAM = Path(__file__).with_name("stream.py")
MB = 1 << 20
Running = subprocess.Popen[str]
Samples = list[tuple[int, int]]  # frames done, bytes


def start_measured(out: Path, kind: str, source: Path, count: int, *more: str) -> Running:
    """Begin a run over ``count`` frames or files, or go on with it; one thread, so that several may
    run side by side."""
    command = [sys.executable, str(STREAM), *map(str, (out, kind, source, count)), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def sample_of(line: str) -> tuple[int, int]:
    """One line of it."""
    frames, size = line.split()
    return int(frames), int(size)


def finish_measured(process: Running) -> Samples:
    """Wait for a good end."""
    said, _ = process.communicate()
    assert process.returncode == 0
    return [sample_of(line) for line in said.splitlines()]


def slope_of(samples: Samples) -> float:
    """MB per thousand frames over the second half, when all caches are warm: the median slope of
    all pairs (Theil and Sen), for which a single moment counts little."""
    counts, sizes = zip(*samples[len(samples) // 2 :], strict=True)
    return float(theilslopes(sizes, counts).slope) * 1000 / MB


def growth_of(samples: Samples) -> float:
    """MB between the smallest and the largest size of the second half."""
    sizes = [size for _, size in samples[len(samples) // 2 :]]
    return (max(sizes) - min(sizes)) / MB
