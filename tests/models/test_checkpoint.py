"""Loading: empty modules, memory, 16-bit language models, and initialization from other models."""

import re
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from miniatures.every import MINIATURES
from PIL import Image
from pycocotools import mask as coco_mask

from vlseg_cli.models.base import Dtype
from vlseg_cli.models.checkpoint import build_empty, load_matching
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.training import TrainableMVPLM
from vlseg_cli.models.proposals.base import ProposalOptions
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.registry import build_trainable, load_model
from vlseg_cli.schema import (
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Task,
    UsageError,
    WeightsError,
)
from vlseg_cli.text.tokenizer import word_tokenizer
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import load_tensors
from vlseg_cli.weights.resolve import model_folder
from vlseg_cli.weights.settings import load_settings

ROOT = Path(__file__).parents[2]


def test_an_empty_module_equals_the_original_once_filled(miniature: dict[str, object]) -> None:
    """Including buffers that no file stores, such as position tables."""
    config = PSALMConfig.from_dict({**miniature, "vocabulary": 40})
    torch.manual_seed(0)
    real = PSALM(config).eval()
    empty = build_empty(lambda: PSALM(config)).eval()
    assert all(parameter.is_meta for parameter in empty.parameters())
    empty.load_state_dict(real.state_dict(), assign=True)
    for (name, ours), (_, theirs) in zip(empty.named_buffers(), real.named_buffers(), strict=True):
        assert not ours.is_meta and ours.equal(theirs), name
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert empty.encode_image(pixels).tokens.equal(real.encode_image(pixels).tokens)


def test_loading_takes_no_second_copy() -> None:
    """On a small model; the benchmark measures the full one."""
    sizes = ["--layers", "1", "--vocabulary", "5000"]
    command = [sys.executable, ROOT / "benchmarks" / "loading.py", "float32", *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ratio = re.search(r" = ([\d.]+) times", done.stdout)
    # Far below 1 where the system reclaims pages that have not been used for a while.
    assert ratio and 0.1 < float(ratio[1]) <= 1.15, done.stdout


KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen.png"
FRAME = Frame(np.asarray(Image.open(KITCHEN).convert("RGB")), str(KITCHEN))
QUESTION = Question("what keeps food cold?")
# Random weights give low scores: HRSeg's threshold admits only its best proposals.
THRESHOLDS = {"hrseg": 0.3, "embedded": 0.5}


class LoadedModel:
    """A model in each dtype of its language model, loaded once, with the encoded example image."""

    def __init__(self, system: str, name: str) -> None:
        self.system, self.name = system, name
        self.load = cache(self._load)

    def _load(self, dtype: Dtype) -> tuple[Any, Any]:
        proposals = ProposalOptions("embedded") if self.system == "hrseg" else None
        model: Any = load_model(self.name, "cpu", proposals, dtype)
        return model, model.encode([FRAME])

    def predict(self, dtype: Dtype, task: Task) -> Prediction:
        model, encoded = self.load(dtype)
        (prediction,) = model.predict(
            encoded, [PromptRequest(0, task, QUESTION, THRESHOLDS.get(self.system, 0.0))]
        )
        assert isinstance(prediction, Prediction)
        return prediction


@pytest.fixture(scope="module", params=["embedded", *MINIATURES])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    system = str(request.param)
    if system == "embedded":
        return LoadedModel(system, system)
    miniature = MINIATURES[system]
    folder = miniature.write(tmp_path_factory.mktemp(system) / "official", miniature.tensors())
    return LoadedModel(system, str(folder))


def test_only_the_language_model_is_in_16_bits(loaded: LoadedModel) -> None:
    full, half = (loaded.load(dtype)[0].model for dtype in ("float32", "float16"))
    assert {p.dtype for p in full.parameters()} == {torch.float32}
    assert torch.float16 in {p.dtype for p in half.parameters()}
    for name, parameter in half.named_parameters():
        is_language = "language" in name or "lm_head" in name
        assert parameter.dtype == (torch.float16 if is_language else torch.float32), name
    # Rotary angles and batch statistics are small and need the precision.
    assert torch.float16 not in {buffer.dtype for buffer in half.buffers()}


def test_float16_predictions_are_close_to_float32(loaded: LoadedModel) -> None:
    full, half = (loaded.predict(dtype, Task.REASON) for dtype in ("float32", "float16"))
    assert len(full.segments) == len(half.segments) > 0
    for one, other in zip(full.segments, half.segments, strict=True):
        assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99
        assert abs(one.score - other.score) < 2e-3


def test_float16_generates_the_same_text(loaded: LoadedModel) -> None:
    assert chat_text(loaded, "float16") == chat_text(loaded, "float32")


def chat_text(loaded: LoadedModel, dtype: Dtype) -> str | None:
    """None for a model without text generation."""
    try:
        return loaded.predict(dtype, Task.CHAT).text
    except UsageError:
        return None


def test_bfloat16_masks_are_close_to_float32() -> None:
    embedded = LoadedModel("embedded", "embedded")
    (one,), (other,) = (embedded.predict(d, Task.REASON).segments for d in ("float32", "bfloat16"))
    assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99


EMBEDDED = model_folder("embedded")
TABLES = {"language.embed_tokens.weight", "lm_head.weight"}


def mvp_lm(**sizes: Any) -> TrainableMVPLM:
    """With the sizes of the embedded default that an MVP-LM shares."""
    theirs = load_settings(EMBEDDED)["config"]
    known = {field.name for field in fields(MVPLMConfig)} - {"vocabulary"}
    config = {key: value for key, value in theirs.items() if key in known}
    trainable = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**config, "stuff_queries": 4, **sizes}
    )
    assert isinstance(trainable, TrainableMVPLM)
    return trainable


def test_parts_of_the_same_size_are_loaded_and_the_rest_stays_random() -> None:
    trainable, theirs = mvp_lm(), load_tensors(EMBEDDED)
    before = {name: tensor.clone() for name, tensor in trainable.model.state_dict().items()}
    new = trainable.init_from(EMBEDDED)
    assert {"decoder", "selection", "pixel_decoder"} <= set(new)
    assert not {"vision_tower", "connector", "language"} & set(new)
    now = trainable.model.state_dict()
    for name in now.keys() - TABLES:
        expected = before if name.partition(".")[0] in new else theirs
        assert now[name].equal(expected[name]), name


def test_rows_of_added_tokens_are_kept() -> None:
    trainable, theirs = mvp_lm(), load_tensors(EMBEDDED)
    before = {name: tensor.clone() for name, tensor in trainable.model.state_dict().items()}
    trainable.init_from(EMBEDDED)
    now = trainable.model.state_dict()
    for name in TABLES:
        assert len(now[name]) == len(theirs[name]) + 1  # MVP-LM's summary token
        assert now[name][:-1].equal(theirs[name]) and now[name][-1].equal(before[name][-1])


def test_a_partly_matching_part_is_not_loaded() -> None:
    assert "language" in mvp_lm(language_feedforward=256).init_from(EMBEDDED)


def test_no_matching_part_is_an_error() -> None:
    trainable = mvp_lm(swin_embed=16, connector_width=64, language_channels=96, pixel_channels=32)
    with pytest.raises(WeightsError, match=r"has no part of the same size to initialize from"):
        trainable.init_from(EMBEDDED)


def test_other_token_ids_are_an_error() -> None:
    trainable = mvp_lm()
    with pytest.raises(WeightsError, match="has other token ids"):
        load_matching(trainable.model, word_tokenizer(["zebra", "apple"]), EMBEDDED)
