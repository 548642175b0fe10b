"""The room is that of the disk which results go to, also before their folder exists."""

import os
from pathlib import Path

from vlseg_cli.cli.checks.machine import machine


def test_processors_memory_and_disk(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there"
    processors, memory, disk = machine(out)
    assert processors.found.endswith(f"of {os.cpu_count()}")
    assert "GB free" in memory.found
    assert f"GB free for {out}" in disk.found
    assert not out.exists()
