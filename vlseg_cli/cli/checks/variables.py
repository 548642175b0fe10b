"""Environment variables that change what vlseg does. Tokens are named, never shown."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vlseg_cli.cli.checks.finding import Finding, warning

_SHOWN = (
    "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME",
    "TMPDIR", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "NO_COLOR", "FORCE_COLOR", "TERM",
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_ARRAY_TASK_ID",
)  # fmt: skip
_SECRET = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY")
_FOLDERS = ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "TMPDIR")


def variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Those that are set, and what is wrong with them."""
    for name in _SHOWN:
        if name in environment:
            yield _shown(name, environment[name])
    for name in _SECRET:
        if name in environment:
            yield Finding(name, "is set")


def _shown(name: str, value: str) -> Finding:
    if name in _FOLDERS and value and Path(value).exists() and not Path(value).is_dir():
        return warning(name, value, "Name a folder: this is a file.")
    if name == "TMPDIR" and not Path(value).is_dir():
        return warning(name, value, "Make this folder, or unset the variable.")
    if name == "OMP_NUM_THREADS" and not (value.isdecimal() and int(value) > 0):
        return warning(name, value, "Give a whole number of threads, or unset it.")
    return Finding(name, value or "is set, to nothing")
