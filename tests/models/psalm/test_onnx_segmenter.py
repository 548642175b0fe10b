"""The exported graphs give what torch gives, for every task of images, and need no torch."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from models.psalm.test_proposal_training import CONFIG, LOSSES

from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.psalm.onnx_export import export_psalm
from vlseg_cli.models.psalm.onnx_graphs import open_graphs
from vlseg_cli.models.psalm.onnx_segmenter import OnnxPSALMSegmenter
from vlseg_cli.models.registry import build_trainable, load_model
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
    WeightsError,
    decode_rle,
)
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.resolve import EMBEDDED

MIX = SampleMix(sentences=1, questions=1, regions=2, negatives=0, no_target=0.0)
SEEDS = ((900_001, 192), (900_002, 256), (900_003, 640))


def scene(seed: int, size: int) -> tuple[Frame, Regions]:
    """A synthetic scene, cropped so that it is padded, and two of its regions."""
    sample = synthetic_sample(seed, size, MIX)
    pixels = sample.frame.pixels[: size - size // 4]
    (regions,) = (q.prompt for q in sample.queries if isinstance(q.prompt, Regions))
    kept = [r for r in regions.regions if r.mask[: len(pixels)].any()]
    cropped = tuple(type(r)(r.kind, r.mask[: len(pixels)]) for r in kept)
    return Frame(np.ascontiguousarray(pixels), f"scene:{seed}"), Regions(cropped)


def requests_about(model: Segmenter, frame: int, regions: Regions) -> list[PromptRequest]:
    """Every task of images, and the options that change a result."""
    names = Categories(model.categories, tuple(np.flatnonzero(model.stuff).tolist()))
    few = Categories(("cup", "dog", "sky"))
    texts = [Expression("the cup on the left"), Question("what keeps food cold?")]
    return [
        *(PromptRequest(frame, task, names) for task in (Task.PANOPTIC, Task.SEMANTIC)),
        *(PromptRequest(frame, task, names, 0.1) for task in (Task.INSTANCE, Task.DETECT)),
        PromptRequest(frame, Task.DETECT, few),
        *(PromptRequest(frame, Task.REFER, text) for text in texts),
        PromptRequest(frame, Task.REASON, texts[1], many=True),
        PromptRequest(frame, Task.REFER, Expression("a chair")),
        PromptRequest(frame, Task.GROUND, texts[0], 0.2),
        PromptRequest(frame, Task.INTERACTIVE, regions),
    ]


def assert_same(ours: Sequence[Prediction], theirs: Sequence[Prediction]) -> int:
    """Labels equal, scores within 1e-3, IoU of masks at least 0.995; returns how many segments."""
    count = 0
    for one, other in zip(ours, theirs, strict=True):
        assert [s.label for s in one.segments] == [s.label for s in other.segments]
        assert (one.panoptic is None) == (other.panoptic is None)
        for left, right in zip(one.segments, other.segments, strict=True):
            assert left.score == pytest.approx(right.score, abs=1e-3)
            a, b = decode_rle(left.rle), decode_rle(right.rle)
            assert (a & b).sum() >= 0.995 * (a | b).sum()
            count += 1
    return count


def test_the_shipped_graphs_give_what_torch_gives() -> None:
    exported, reference = OnnxPSALMSegmenter("embedded", EMBEDDED), load_model(device="cpu")
    assert exported.tasks == reference.tasks and exported.categories == reference.categories
    frames, regions = zip(*(scene(*one) for one in SEEDS), strict=True)
    requests = [r for i, each in enumerate(regions) for r in requests_about(exported, i, each)]
    ours = exported.predict(exported.encode(frames), requests)
    assert assert_same(ours, reference.predict(reference.encode(frames), requests)) > 50


@pytest.fixture(scope="module")
def proposing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model whose proposals come first, exported."""
    torch.manual_seed(3)
    trainable = build_trainable("psalm", synthetic_vocabulary(), CONFIG, LOSSES)
    for parameter in trainable.model.selector.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    folder = tmp_path_factory.mktemp("proposing")
    trainable.save(folder, "# A card\n")
    export_psalm(folder)
    return folder


def test_proposals_that_come_first_are_exported_too(proposing: Path) -> None:
    exported, reference = OnnxPSALMSegmenter("tiny", proposing), load_model(str(proposing), "cpu")
    frames, regions = zip(*(scene(seed, 64) for seed, _ in SEEDS), strict=True)
    ours, theirs = exported.encode(frames), reference.encode(frames)
    for index, each in enumerate(regions):
        requests = requests_about(exported, index, each)
        assert_same(exported.predict(ours, requests), reference.predict(theirs, requests))


def test_graphs_of_other_weights_are_refused(proposing: Path, tmp_path: Path) -> None:
    folder = Path(copytree(proposing, tmp_path / "other"))
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"instance_score": 0.5', '"instance_score": 0.6'))
    with pytest.raises(WeightsError, match="graphs of other weights: export them again"):
        open_graphs(folder)


def test_a_model_that_generates_text_is_not_exported(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {**CONFIG, "generates_text": True}
    build_trainable("psalm", synthetic_vocabulary(), sizes, LOSSES).save(tmp_path, "# A card\n")
    with pytest.raises(UsageError, match="generates text"):
        export_psalm(tmp_path)


def test_the_command_line_answers_without_torch(tmp_path: Path) -> None:
    image = Path(__file__).parents[3] / "examples" / "kitchen.png"
    program = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from vlseg_cli.__main__ import main; sys.argv[0] = 'vlseg'; main()"
    )
    for words in (
        ["reason", str(image), "what keeps food cold?"],
        ["segment", str(image), "--point", "300,200"],
        ["segment", str(image)],
        ["detect", str(image), "--categories", "fridge,dog"],
    ):
        line = [sys.executable, "-c", program, *words, "--json", "--out", str(tmp_path / words[0])]
        ran = subprocess.run([*line, "--overwrite"], capture_output=True, text=True, check=False)
        assert ran.returncode == 0 and '"segments"' in ran.stdout, ran.stderr
