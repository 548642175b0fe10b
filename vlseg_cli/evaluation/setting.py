"""Everything a number depends on besides the benchmark: what a report prints beside it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import vlseg_cli
from vlseg_cli.models.registry import system_of
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.folder import load_settings
from vlseg_cli.weights.resolve import model_digest, model_folder


@dataclass(frozen=True, slots=True)
class Setting:
    """model: name, system: its architecture, weights: digest of its files. resolution: px of the
    network's input, None if its folder does not say. version, commit: of vlseg, commit '' if it
    was installed from a package. data: root of the data. limit: samples of each benchmark.
    """

    model: str
    system: str
    weights: str
    resolution: int | None
    version: str
    commit: str
    data: str
    limit: int | None


def setting(model: str | None, data: Path, limit: int | None) -> Setting:
    """Look all this up. Raises WeightsError if there is no such model."""
    folder = model_folder(model)
    return Setting(
        model or "embedded",
        system_of(model),
        model_digest(folder),
        _resolution(folder),
        vlseg_cli.__version__,
        _commit(),
        str(data),
        limit,
    )


def _resolution(folder: Path) -> int | None:
    try:
        size = load_settings(folder)["config"].get("image_size")
    except WeightsError:  # as its authors publish it
        return None
    return size if isinstance(size, int) else None


def _commit() -> str:
    """Of the working copy that this file lies in, with a mark if it was changed since."""
    command = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.strip()
