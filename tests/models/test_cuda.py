"""Every system on a CUDA device against the CPU: masks, scores, half precision, a training step.

Both use the same random weights; TF32 is off for convolutions, as its error exceeds the tolerances.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from models import mvp_lm_models, self1e_tiny, tiny_hrseg
from torch import nn

from vlseg_cli.models.base import FULL, Dtype, Segmenter
from vlseg_cli.models.hrseg import collator as hrseg_collator
from vlseg_cli.models.registry import SYSTEMS, build_trainable, load_model
from vlseg_cli.models.training import Trainable
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.schema import Prediction, PromptRequest, Sample, decode_rle
from vlseg_cli.training.vocabulary import synthetic_vocabulary

DEVICE = "cuda"  # "cpu" runs the same code without a GPU
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        DEVICE == "cuda" and not torch.cuda.is_available(), reason="there is no CUDA device"
    ),
]
Load = Callable[[str, Dtype], Segmenter]


@pytest.fixture(autouse=True)
def _without_tf32() -> Iterator[None]:
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture(scope="module")
def sizes(
    miniature: dict[str, Any], hyperseg_designs: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Configuration of each system's miniature."""
    return {
        "psalm": miniature,
        "hyperseg": hyperseg_designs["miniature"],
        "mvp-lm": {**mvp_lm_models.SIZES, "prompt_style": "plain"},
        "self1e": {**self1e_tiny.SIZES, "prompt_style": "plain"},
        "hrseg": tiny_hrseg.SIZES,
    }


@pytest.fixture(params=list(SYSTEMS))
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(hrseg_collator, "_proposer", lambda *_: tiny_hrseg.Quarters())
    return str(request.param)


@pytest.fixture
def trainable(system: str, sizes: dict[str, dict[str, Any]]) -> Trainable:
    """Random weights, large enough that masks and scores differ between prompts."""
    torch.manual_seed(5)
    model = build_trainable(system, synthetic_vocabulary(), sizes[system])
    for name, parameter in model.named_parameters():
        if "project" in name and parameter.dim() == 2:
            nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def load(system: str, trainable: Trainable, tmp_path: Path) -> Load:
    """Opens the saved miniature on a device."""
    folder = tmp_path / system
    trainable.save(folder, "# A card\n")

    def opened(device: str, dtype: Dtype = FULL) -> Segmenter:
        model = load_model(str(folder), device, dtype=dtype)
        if system == "hrseg":
            model.proposer = tiny_hrseg.Quarters()  # type: ignore[attr-defined]
        return model

    return opened


def predictions(model: Segmenter, sample: Sample) -> list[Prediction]:
    """One per prompt of the sample that the model has a task for; segments of any score."""
    requests = [
        PromptRequest(0, query.task, query.prompt, 0.0)
        for query in sample.queries
        if query.task in model.tasks
    ]
    return model.predict(model.encode([sample.frame]), requests)


def iou(one: Any, other: Any) -> float:
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 1.0


def test_masks_and_scores_equal_those_of_the_cpu(load: Load, samples: list[Sample]) -> None:
    expected, found = (predictions(load(device), samples[0]) for device in ("cpu", DEVICE))
    assert sum(len(one.segments) for one in expected) > 0
    for theirs, ours in zip(expected, found, strict=True):
        assert len(theirs.segments) == len(ours.segments)
        masks = [decode_rle(segment.rle) for segment in ours.segments]
        for segment in theirs.segments:  # near ties may swap
            mask = decode_rle(segment.rle)
            overlaps = [iou(mask, other) for other in masks]
            assert any(
                overlap > 0.99
                and other.label == segment.label
                and abs(other.score - segment.score) < 1e-3
                for other, overlap in zip(ours.segments, overlaps, strict=True)
            )


def test_half_precision_is_finite(load: Load, samples: list[Sample]) -> None:
    model = load(DEVICE, "bfloat16")
    for prediction in predictions(model, samples[0]):
        assert all(0 <= segment.score <= 1 for segment in prediction.segments)


def test_a_training_step_is_finite(trainable: Trainable, samples: list[Sample]) -> None:
    model = trainable.to(DEVICE)
    batch = model.collator()(samples[:2]).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = model(batch)
    assert losses and all(loss.isfinite() for loss in losses.values())
    assert all(loss.device.type == DEVICE for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_sam_in_onnx_runtime_equals_that_of_the_cpu(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from vlseg_cli.models.proposals.onnx_engine import OnnxSAM
    from vlseg_cli.models.proposals.onnx_export import export_sam

    provider = f"{DEVICE.upper()}ExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        pytest.skip(f"this onnxruntime has no {provider}")
    sizes = SAMSizes(
        image=64,
        patch=16,
        width=16,
        layers=2,
        heads=2,
        window=3,
        whole=(1,),
        channels=16,
        decoder_feedforward=32,
        decoder_heads=2,
    )
    sam = tiny_hrseg.make_sure(SAM(sizes))
    export_sam(sam, "digest", tmp_path)
    expected, found = (OnnxSAM(tmp_path, "digest", device) for device in ("cpu", DEVICE))
    sessions = [value for value in vars(found).values() if hasattr(value, "get_providers")]
    assert sessions and all(session.get_providers()[0] == provider for session in sessions)
    pixels, points = torch.randn(1, 3, 64, 64), 64 * torch.rand(5, 2)
    features = expected.encode_image(pixels)
    pairs = [
        (found.encode_image(pixels), features),
        *zip(found.masks_at(features, points), expected.masks_at(features, points), strict=True),
    ]
    for ours, theirs in pairs:  # the provider uses TF32
        assert (ours - theirs).abs().max() <= 1e-2 * theirs.abs().max()
