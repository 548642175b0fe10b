"""Starts ``stream.py`` as a process of its own and reads the memory that it reports."""

import os
import subprocess
import sys
from pathlib import Path

STREAM = Path(__file__).with_name("stream.py")
MB = 1 << 20
Running = subprocess.Popen[str]
Samples = list[tuple[int, int]]  # frames done, bytes


def start_measured(out: Path, kind: str, source: Path, count: int, *more: str) -> Running:
    """Begin a run over ``count`` frames or files, or resume it; one thread, so that several may run
    side by side."""
    command = [sys.executable, str(STREAM), *map(str, (out, kind, source, count)), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def sample_of(line: str) -> tuple[int, int]:
    """One line of it."""
    frames, size = line.split()
    return int(frames), int(size)


def finish_measured(process: Running) -> Samples:
    """Wait for a successful end."""
    output, _ = process.communicate()
    assert process.returncode == 0
    return [sample_of(line) for line in output.splitlines()]


def slope_of(samples: Samples) -> float:
    """MB per thousand frames, from the peak of the first half to that of the second. Only peaks
    count: when an allocator returns memory is arbitrary."""
    middle, half = len(samples) // 2, (samples[-1][0] - samples[0][0]) / 2
    before, after = (max(size for _, size in part) for part in (samples[:middle], samples[middle:]))
    return (after - before) / MB / half * 1000


def growth_of(samples: Samples) -> float:
    """MB between the smallest and the largest size of the second half."""
    sizes = [size for _, size in samples[len(samples) // 2 :]]
    return (max(sizes) - min(sizes)) / MB
