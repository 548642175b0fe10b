"""Processors, memory and room on the disk that results go to."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from vlseg_cli.cli.checks.finding import Finding, broken, warning

_GB = 1e9
_LITTLE_MEMORY, _LITTLE_DISK, _NO_DISK = 2 * _GB, 5 * _GB, 0.1 * _GB  # bytes


def machine(out: Path) -> Iterator[Finding]:
    """What this process may use. out: the folder of results, which need not exist yet."""
    yield Finding("processors", f"{_usable_processors()} of {os.cpu_count()}")
    yield _memory()
    yield _disk(out)


def _usable_processors() -> int:
    """Containers and schedulers leave a process fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.available / _GB:.1f} of {memory.total / _GB:.1f} GB free"
    if memory.available < _LITTLE_MEMORY:
        mend = "Close other programs, or take --batch-size 1 and smaller inputs."
        return warning("memory", found, mend)
    return Finding("memory", found)


def _disk(out: Path) -> Finding:
    folder = next(one for one in (out, *out.absolute().parents) if one.is_dir())
    free = shutil.disk_usage(folder).free
    found = f"{free / _GB:.1f} GB free for {out}"
    mend = "Free some room, or give an --out on another disk."
    if not os.access(folder, os.W_OK):
        return broken("disk", f"{folder} cannot be written to", "Give another --out.")
    if free < _NO_DISK:
        return broken("disk", found, mend)
    return warning("disk", found, mend) if free < _LITTLE_DISK else Finding("disk", found)
