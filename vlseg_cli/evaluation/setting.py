"""Everything a number depends on besides the benchmark: what a report prints beside it."""

from dataclasses import dataclass
from pathlib import Path

import vlseg_cli
from vlseg_cli.models.precision import Dtype
from vlseg_cli.models.registry import system_of
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.folder import load_settings
from vlseg_cli.weights.resolve import model_digest, model_folder


@dataclass(frozen=True, slots=True)
class Setting:
    """model: name, system: its architecture, weights: digest of its files. dtype: of its language
    model. resolution: px of the
    network's input, None if its folder does not say. version, commit: of vlseg, commit '' if it
    was installed from a package. data: root of the data. limit: samples of each benchmark.
    """

    model: str
    system: str
    weights: str
    dtype: Dtype
    resolution: int | None
    version: str
    commit: str
    data: str
    limit: int | None


def setting(model: str | None, dtype: Dtype, data: Path, limit: int | None) -> Setting:
    """Look all this up. Raises WeightsError if there is no such model."""
    folder = model_folder(model)
    return Setting(
        model or "embedded",
        system_of(folder),
        model_digest(folder),
        dtype,
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
    """Of the working copy that vlseg runs from; '' if it was installed from a package."""
    root = Path(vlseg_cli.__file__).parents[1]
    try:
        pointer = root / ".git"
        git = pointer if pointer.is_dir() else root / pointer.read_text().split()[1]
        kind, _, name = (git / "HEAD").read_text().strip().partition(" ")
        common = git / "commondir"  # of a further working tree, the first one's folder
        shared = git / common.read_text().strip() if common.exists() else git
        return _head(shared, name)[:12] if kind == "ref:" else kind[:12]
    except (OSError, IndexError):
        return ""


def _head(git: Path, branch: str) -> str:
    """Where a branch stands: in a file of its own, or packed with others."""
    if (git / branch).exists():
        return (git / branch).read_text()
    lines = (git / "packed-refs").read_text().splitlines()
    return next((line for line in lines if line.endswith(f" {branch}")), "")
