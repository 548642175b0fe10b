"""A language model held in 16 bits, in the published layout of every system and in our own."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from miniatures.every import MINIATURES
from PIL import Image
from pycocotools import mask as coco_mask

from vlseg_cli.models.precision import Dtype
from vlseg_cli.models.proposals.options import ProposalOptions
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Ask, Frame, Prediction, Question, Task, UsageError

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen.png"
FRAME = Frame(np.asarray(Image.open(KITCHEN).convert("RGB")), str(KITCHEN))
QUESTION = Question("what keeps food cold?")
# What random weights find is near to nothing, so hrseg's threshold lets its best proposals pass.
THRESHOLDS = {"hrseg": 0.3, "embedded": 0.5}


class Held:
    """A model by what its language model is held in, loaded once and shown the kitchen once."""

    def __init__(self, system: str, name: str) -> None:
        self.system, self.name = system, name
        self.load = cache(self._load)

    def _load(self, dtype: Dtype) -> tuple[Any, Any]:
        proposals = ProposalOptions("embedded") if self.system == "hrseg" else None
        model: Any = load_model(self.name, "cpu", proposals, dtype)
        return model, model.encode([FRAME])

    def ask(self, dtype: Dtype, task: Task) -> Prediction:
        model, seen = self.load(dtype)
        (answer,) = model.answer(seen, [Ask(0, task, QUESTION, THRESHOLDS.get(self.system, 0.0))])
        assert isinstance(answer, Prediction)
        return answer


@pytest.fixture(scope="module", params=["embedded", *MINIATURES])
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Held:
    system = str(request.param)
    if system == "embedded":
        return Held(system, system)
    miniature = MINIATURES[system]
    folder = miniature.write(tmp_path_factory.mktemp(system) / "official", miniature.tensors())
    return Held(system, str(folder))


def test_only_the_language_model_is_held_in_16_bits(held: Held) -> None:
    full, half = (held.load(dtype)[0].model for dtype in ("float32", "float16"))
    assert {p.dtype for p in full.parameters()} == {torch.float32}
    assert torch.float16 in {p.dtype for p in half.parameters()}
    for name, parameter in half.named_parameters():
        is_language = "language" in name or "lm_head" in name
        assert parameter.dtype == (torch.float16 if is_language else torch.float32), name
    # Angles of positions and means of batches would suffer most, and weigh nothing.
    assert torch.float16 not in {buffer.dtype for buffer in half.buffers()}


def test_answers_stay_what_they_are(held: Held) -> None:
    full, half = (held.ask(dtype, Task.REASON) for dtype in ("float32", "float16"))
    assert len(full.segments) == len(half.segments) > 0
    for one, other in zip(full.segments, half.segments, strict=True):
        assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99
        assert abs(one.score - other.score) < 2e-3


def test_it_goes_on_speaking(held: Held) -> None:
    assert spoken(held, "float16") == spoken(held, "float32")


def spoken(held: Held, dtype: Dtype) -> str | None:
    """None of a model that only draws."""
    try:
        return held.ask(dtype, Task.CHAT).text
    except UsageError:
        return None


def test_bfloat16_finds_the_same_thing() -> None:
    embedded = Held("embedded", "embedded")
    (one,), (other,) = (embedded.ask(d, Task.REASON).segments for d in ("float32", "bfloat16"))
    assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99
