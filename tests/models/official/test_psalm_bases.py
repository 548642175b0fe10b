"""Training begins with Mask2Former's file and a stage-1 connector, each filling its part alone."""

import pickle
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.fresh import build_model
from vlseg_cli.models.parity.golden import Golden, golden_files
from vlseg_cli.models.parity.psalm import config_of, golden_model
from vlseg_cli.models.trainables.psalm import TrainablePSALM
from vlseg_cli.schema import WeightsError

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden.load(golden_files("psalm")[0])


@pytest.fixture
def learner(golden: Golden) -> TrainablePSALM:
    """Random weights at the golden file's sizes."""
    sizes = asdict(config_of(golden.config))
    del sizes["vocabulary"]
    model = build_model("psalm", sizes, {"points": 48})
    assert isinstance(model, TrainablePSALM)
    return model


def mask2former(golden: Golden) -> Arrays:
    """The golden weights as Mask2Former's own file would have them, class head and all."""
    arrays: Arrays = {"criterion.empty_weight": np.ones(6, np.float32)}
    for name, tensor in golden.weights().items():
        if name.startswith("model.vision_tower."):
            arrays[name.replace("model.vision_tower", "backbone")] = tensor.numpy()
        elif re.match(r"pixel_decoder|predictor\.(?!CLASS|SEG|REGION)", name):
            name = re.sub(r"(adapter_1|layer_1)\.1\.", r"\1.norm.", f"sem_seg_head.{name}")
            name = re.sub(r"(adapter_1|layer_1)\.0\.", r"\1.", name)
            arrays[name.replace("query_feat", "static_query")] = tensor.numpy()
    for layer in ("adapter_1", "layer_1"):
        del arrays[f"sem_seg_head.pixel_decoder.{layer}.bias"]
    embed = arrays["sem_seg_head.predictor.query_embed.weight"]
    arrays["sem_seg_head.predictor.query_embed.weight"] = np.concatenate([embed, embed + 1])
    arrays["sem_seg_head.predictor.class_embed.weight"] = np.zeros((6, 64), np.float32)
    return arrays


def write(folder: Path, arrays: Arrays) -> Path:
    folder.mkdir()
    (folder / "model_final.pkl").write_bytes(pickle.dumps({"model": arrays, "__author__": "x"}))
    return folder


def changed(before: dict[str, Tensor], model: TrainablePSALM) -> set[str]:
    """Parts of which anything is another number now."""
    now = model.model.state_dict()
    return {name.partition(".")[0] for name in now if not now[name].equal(before[name])}


def test_mask2formers_file_fills_its_parts(
    golden: Golden, learner: TrainablePSALM, tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    anew = learner.begin_with(write(tmp_path / "base", mask2former(golden)))
    assert changed(before, learner) == {"vision_tower", "pixel_decoder", "mask_decoder"}
    assert set(anew) == {name.partition(".")[0] for name in before} - changed(before, learner)
    now, expected = learner.model.state_dict(), golden_model(golden).state_dict()
    for name in (name for name in now if name.startswith(("vision", "pixel", "mask"))):
        fresh = re.search(r"(adapter_1|layer_1)\.0\.bias", name)
        assert now[name].equal(before[name] if fresh else expected[name]), name


@pytest.mark.parametrize(
    "prefix", ["model.mm_projector.", "mm_projector.", "base.model.mm_projector."]
)
def test_a_connector_without_statistics_keeps_fresh_ones(
    golden: Golden, learner: TrainablePSALM, tmp_path: Path, prefix: str
) -> None:
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    projector = {
        name.replace("model.mm_projector.", prefix): tensor
        for name, tensor in golden.weights().items()
        if name.startswith("model.mm_projector.") and not name.endswith(STATISTICS)
    }
    torch.save(projector, tmp_path / "mm_projector.bin")
    learner.begin_with(tmp_path)
    assert changed(before, learner) == {"connector"}
    assert learner.model.connector.bn1.running_var.unique().tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"backbone.norm2.bias": None},
            "lacks vision_tower.backbone.hidden_states_norms.stage3.bias",
        ),
        (
            {"backbone.norm2.bias": np.zeros(3, np.float32)},
            r"model\.vision_tower\.norm2\.bias \(3,\)",
        ),
        ({"backbone.norm9.bias": np.zeros(3, np.float32)}, r"unknown model\.vision_tower\.norm9"),
        ({"roi_heads.weight": np.zeros(3, np.float32)}, r"can begin with: roi_heads\.weight\?"),
    ],
)
def test_what_does_not_fit_is_named(
    golden: Golden,
    learner: TrainablePSALM,
    tmp_path: Path,
    change: dict[str, np.ndarray | None],
    said: str,
) -> None:
    arrays = {n: a for n, a in (mask2former(golden) | change).items() if a is not None}
    with pytest.raises(WeightsError, match=said) as caught:
        learner.begin_with(write(tmp_path / "base", arrays))
    assert "\n" not in str(caught.value)
