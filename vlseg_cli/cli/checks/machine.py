"""Processors, memory, disk space for the results, GPUs and environment variables."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from vlseg_cli.cli.checks import CheckFinding, broken, warning

_GB = 1e9
_LITTLE_MEMORY, _LITTLE_DISK, _NO_DISK = 2 * _GB, 5 * _GB, 0.1 * _GB  # bytes


def machine(out: Path) -> Iterator[CheckFinding]:
    """What this process can use. out: the folder of results, which need not exist yet."""
    # Containers and schedulers may give a process fewer than the machine has.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield CheckFinding("processors", f"{usable} of {os.cpu_count()}")
    yield _memory()
    yield _disk(out)


def _memory() -> CheckFinding:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.available / _GB:.1f} of {memory.total / _GB:.1f} GB free"
    if memory.available < _LITTLE_MEMORY:
        remedy = "Close other programs, or take --batch-size 1 and smaller inputs."
        return warning("memory", found, remedy)
    return CheckFinding("memory", found)


def _disk(out: Path) -> CheckFinding:
    folder = next(one for one in (out, *out.absolute().parents) if one.is_dir())
    free = shutil.disk_usage(folder).free
    found = f"{free / _GB:.1f} GB free for {out}"
    remedy = "Free some space, or give an --out on another disk."
    if not os.access(folder, os.W_OK):
        return broken("disk", f"{folder} cannot be written to", "Give another --out.")
    if free < _NO_DISK:
        return broken("disk", found, remedy)
    return warning("disk", found, remedy) if free < _LITTLE_DISK else CheckFinding("disk", found)


def device() -> Iterator[CheckFinding]:
    """Every GPU that torch finds, each tried with a small product; else the CPU."""
    import torch

    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    yield from map(_try_device, names)
    if not names:
        yield _no_gpu()


def _try_device(name: str) -> CheckFinding:
    import torch

    try:
        product = torch.eye(64, device=name) @ torch.full((64, 64), 2.0, device=name)
        if not bool((product == 2).all()):
            remedy = "Take --device cpu; the GPU or its driver is damaged."
            return broken(name, "computes wrong results", remedy)
        if name == "mps":
            return CheckFinding(name, "Apple GPU")
        free, total = torch.cuda.mem_get_info(name)
        found = f"{torch.cuda.get_device_name(name)}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
        return CheckFinding(name, found)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        remedy = "Update the GPU's driver, or take --device cpu."
        return broken(name, f"cannot be used ({reason})", remedy)


def _no_gpu() -> CheckFinding:
    import torch

    if shutil.which("nvidia-smi") is None:
        return CheckFinding("cpu", "no GPU, models run on the processors")
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        remedy = "Unset CUDA_VISIBLE_DEVICES, which hides all GPUs."
    elif torch.version.cuda is None:
        remedy = "Install a torch that is built for CUDA: see pytorch.org for this machine."
    else:
        remedy = "Update the NVIDIA driver: this torch needs a newer one."
    return warning("cpu", "there is an NVIDIA GPU that torch cannot use", remedy)


_SHOWN = (
    "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME",
    "TMPDIR", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "NO_COLOR", "FORCE_COLOR", "TERM",
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_ARRAY_TASK_ID",
)  # fmt: skip
_SECRET = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY")
_FOLDERS = ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "TMPDIR")


def variables(environment: Mapping[str, str]) -> Iterator[CheckFinding]:
    """Variables that are set, and what is wrong with their values; secrets are not shown."""
    for name in _SHOWN:
        if name in environment:
            yield _shown(name, environment[name])
    for name in _SECRET:
        if name in environment:
            yield CheckFinding(name, "is set")


def _shown(name: str, value: str) -> CheckFinding:
    if name in _FOLDERS and value and Path(value).exists() and not Path(value).is_dir():
        return warning(name, value, "Name a folder: this is a file.")
    if name == "TMPDIR" and not Path(value).is_dir():
        return warning(name, value, "Make this folder, or unset the variable.")
    if name == "OMP_NUM_THREADS" and not (value.isdecimal() and int(value) > 0):
        return warning(name, value, "Give a whole number of threads, or unset it.")
    return CheckFinding(name, value or "is set, but empty")
