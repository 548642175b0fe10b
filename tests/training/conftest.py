"""A recipe that trains a tiny PSALM in seconds, on text and then on scenes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from vlseg_cli.training.checkpoint import last_checkpoint
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.train import build_run, train_run

RECIPE = """
seed = 3
[data]
first_seed = 100
[model]
architecture = "psalm"
[model.config]
image_size = 64
swin_embed = 8
swin_depths = [1, 1, 1, 1]
swin_heads = [1, 1, 2, 2]
swin_window = 2
connector_width = 16
connector_stride = 1
pixel_channels = 32
mask_channels = 32
pixel_layers = 1
pixel_heads = 2
pixel_feedforward = 16
language_channels = 16
language_layers = 1
language_heads = 2
language_feedforward = 16
queries = 8
decoder_layers = 1
decoder_heads = 2
decoder_feedforward = 16
prompt_style = "plain"
single_queries = 2
region_source = "pixels"
regions_together = false
[losses]
points = 0
assignment = "first"
[checkpoint]
minutes = 60
[log]
every = 2
[[stage]]
name = "text"
data = "text"
steps = 4
batch_size = 4
lr = 1e-3
train = ["language", "auxiliary", "heads"]
[[stage]]
name = "scenes"
steps = 4
batch_size = 2
size = 64
lr = 1e-3
warmup = 2
mixture = { sentences = 1, questions = 1, regions = 1, negatives = 2 }
"""


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
