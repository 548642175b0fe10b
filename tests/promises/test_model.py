"""The embedded model: the same results in batches of any size, and NaN weights are errors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vlseg_cli.cli.main import main
from vlseg_cli.media import read_image
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Expression, Prediction, PromptRequest, Question, Task, decode_rle
from vlseg_cli.weights.resolve import EMBEDDED

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.png"))
SCENES = [path for path in EXAMPLES if path.stem != "answers"]
PROMPTS = ((Task.REASON, Question("what keeps food cold?")), (Task.REFER, Expression("the dog")))


def _answers(batch: int) -> list[Prediction]:
    model = load_model()
    frames = [read_image(path) for path in SCENES]
    found: list[Prediction] = []
    for first in range(0, len(frames), batch):
        chunk = frames[first : first + batch]
        requests = [
            PromptRequest(n, task, prompt) for n in range(len(chunk)) for task, prompt in PROMPTS
        ]
        found += model.predict(model.encode(chunk), requests)
    return found


def test_the_same_batches_give_the_same_bits() -> None:
    assert [one.segments for one in _answers(2)] == [one.segments for one in _answers(2)]


def test_the_batch_size_changes_no_score_by_more_than_a_thousandth() -> None:
    for one, other in zip(_answers(1), _answers(len(SCENES)), strict=True):
        assert one.source == other.source
        for a, b in zip(one.segments, other.segments, strict=True):
            assert a.score == pytest.approx(b.score, abs=1e-3)
            differing = decode_rle(a.rle) ^ decode_rle(b.rle)
            assert np.count_nonzero(differing) <= 0.002 * max(a.area, 500)


def test_a_model_of_nan_weights_fails_every_input(tmp_path: Path) -> None:
    poisoned = tmp_path / "model"
    shutil.copytree(EMBEDDED, poisoned)
    tensors = load_file(poisoned / "model.safetensors")
    name = next(name for name in sorted(tensors) if "decoder" in name and tensors[name].ndim == 2)
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    save_file(tensors, poisoned / "model.safetensors")
    out = tmp_path / "out"
    scenes = [str(path) for path in SCENES[:2]]
    arguments = ["refer", *scenes, "the dog", "--model", str(poisoned), "--out", str(out)]
    assert main(arguments) == 3
    failures = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    assert [row["input"] for row in failures] == scenes
    assert all("not finite" in row["error"] for row in failures)
    assert (out / "records.jsonl").read_text() == ""
