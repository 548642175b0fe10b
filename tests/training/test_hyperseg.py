"""A tiny HyperSeg is trained on every kind of data, from text to clips, and can be loaded."""

from pathlib import Path

import pytest
import torch

from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Expression, Frame, PromptRequest, RecipeError, Task
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.training.log import read_log
from vlseg_cli.training.train import build_run, train, train_run

RECIPE = """
seed = 3
[model]
architecture = "hyperseg"
[model.config]
image_size = 64
swin_embed = 8
swin_depths = [1, 1, 1, 1]
swin_heads = [1, 1, 2, 2]
swin_window = 2
clip_size = 32
clip_patch = 16
clip_channels = 8
clip_layers = 1
clip_heads = 2
clip_feedforward = 8
fine_tokens = 2
fine_channels = 8
fine_heads = 2
fine_head_channels = 4
pixel_channels = 32
mask_channels = 32
pixel_layers = 1
pixel_heads = 2
pixel_feedforward = 16
language_channels = 16
language_layers = 1
language_heads = 2
language_feedforward = 16
rotary_factor = 0.5
queries = 8
decoder_layers = 1
decoder_heads = 2
decoder_feedforward = 16
conditional_weight = true
recognize_entities = true
prompt_style = "plain"
single_queries = 2
region_source = "pixels"
regions_together = false
region_memory = true
[losses]
points = 0
assignment = "first"
dense_names = 1.0
[lora]
rank = 2
[checkpoint]
minutes = 60
[log]
every = 4
[[stage]]
name = "text"
data = "text"
steps = 8
batch_size = 4
lr = 1e-3
train = ["language", "vocabulary", "auxiliary", "heads"]
[[stage]]
name = "scenes"
steps = 4
batch_size = 2
size = 64
lr = 1e-3
train = ["lora", "vocabulary", "perceiver", "mask_decoder", "heads"]
mixture = { sentences = 1, questions = 1, regions = 1, negatives = 2 }
[[stage]]
name = "clips"
data = "clips"
steps = 8
batch_size = 2
size = 64
clip_frames = 2
lr = 1e-3
mixture = { sentences = 1, questions = 1, regions = 1, negatives = 2 }
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("hyperseg")
    (folder / "toy.toml").write_text(RECIPE)
    train_run(build_run(folder / "toy.toml", folder / "out"))
    return folder


def test_twenty_steps_give_a_model_that_segments_videos(trained: Path) -> None:
    rows = read_log(trained / "out" / "log.csv")
    assert [row["stage"] for row in rows] == ["text"] * 2 + ["scenes"] + ["clips"] * 2
    assert all(float(row["loss"]) > 0 and int(row["skipped"]) == 0 for row in rows)
    assert float(rows[-1]["instance_contrast"]) > 0
    model = load_model(str(trained / "out" / "model"), "cpu")
    assert isinstance(model, HyperSegSegmenter)
    session = model.session([PromptRequest(0, Task.RVOS, Expression("the dog"))])
    for index, scene in enumerate(draw_clip(3, 2, 64)):
        (prediction,) = session.step(Frame(scene.pixels, "clip", index))
        assert prediction.frame == index


def test_a_model_too_large_for_the_machine_is_described_without_a_batch(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = ["model.config.language_layers=200", "model.config.language_channels=8192"]
    large += ["model.config.language_feedforward=65536", "stage.0.batch_size=2"]
    train(trained / "toy.toml", trained / "dry", large, dry_run=True)
    printed = capsys.readouterr().out
    assert "no batch was tried" in printed and "lora" in printed
    assert (trained / "dry" / "first-batch-clips.png").is_file()
    with pytest.raises(RecipeError, match="targets"):
        train(trained / "toy.toml", trained / "dry", ['lora.targets=["nothing"]'], dry_run=True)
