"""Runs of a tiny recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from training.tiny import RECIPE

from vlseg_cli.training.checkpoint import last_checkpoint
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.train import build_run, train_run


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """A recipe of two short stages."""
    file = tmp_path / "tiny.toml"
    file.write_text(RECIPE)
    return file


@pytest.fixture
def make_run(recipe_file: Path, tmp_path: Path) -> Callable[..., TrainingRun]:
    """Build a run into ``tmp_path / out`` with overrides, on one thread for repeatable sums."""
    torch.set_num_threads(1)

    def make(out: str, *overrides: str) -> TrainingRun:
        return build_run(recipe_file, tmp_path / out, overrides)

    return make


@pytest.fixture
def saved_tensors() -> Callable[[Path], dict[str, Tensor]]:
    """All tensors of the last checkpoint in a folder: model, average, optimizer."""

    def load(out: Path) -> dict[str, Tensor]:
        checkpoint = last_checkpoint(out)
        assert checkpoint is not None
        return dict(load_file(checkpoint / "tensors.safetensors"))

    return load


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    recipe = folder / "tiny.toml"
    recipe.write_text(RECIPE)
    train_run(build_run(recipe, folder / "out"))
    return folder / "out"
