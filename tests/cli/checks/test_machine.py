"""Free space is that of the disk of the results, also before their folder exists."""

import os
from pathlib import Path

import torch

from vlseg_cli.cli.checks import CheckState
from vlseg_cli.cli.checks.machine import device, machine, variables


def test_processors_memory_and_disk(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there"
    processors, memory, disk = machine(out)
    assert processors.found.endswith(f"of {os.cpu_count()}")
    assert "GB free" in memory.found
    assert f"GB free for {out}" in disk.found
    assert not out.exists()


def test_a_device_is_found() -> None:
    findings = list(device())
    gpus = torch.cuda.device_count() + torch.backends.mps.is_available()
    assert len(findings) == max(1, gpus)
    assert all(one.state is not CheckState.BROKEN for one in findings)


def test_secrets_are_never_shown() -> None:
    findings = list(variables({"HF_TOKEN": "hf_secret", "WANDB_API_KEY": "key", "OTHER": "x"}))
    assert [one.name for one in findings] == ["HF_TOKEN", "WANDB_API_KEY"]
    assert not any("secret" in one.found or "key" in one.found for one in findings)


def test_only_set_variables_are_listed() -> None:
    assert list(variables({})) == []
    (one,) = variables({"CUDA_VISIBLE_DEVICES": ""})
    assert (one.state, one.found) == (CheckState.OK, "is set, but empty")


def test_invalid_values_are_warnings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wrong = {
        "HF_HOME": str(tmp_path / "file"),
        "TMPDIR": str(tmp_path / "missing"),
        "OMP_NUM_THREADS": "many",
    }
    for one in variables(wrong):
        assert one.state is CheckState.WARNING and one.remedy
    right = {"HF_HOME": str(tmp_path / "new"), "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "2"}
    assert all(one.state is CheckState.OK for one in variables(right))
