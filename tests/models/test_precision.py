"""A language model held in 16 bits, in the published layout of every system and in our own."""

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


@pytest.fixture(scope="module", params=["embedded", *MINIATURES])
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The name of a system, and of its model."""
    system = str(request.param)
    if system == "embedded":
        return [system, system]
    miniature = MINIATURES[system]
    folder = miniature.write(tmp_path_factory.mktemp(system) / "official", miniature.tensors())
    return [system, str(folder)]


def loaded(named: list[str], dtype: Dtype) -> Any:
    proposals = ProposalOptions("embedded") if named[0] == "hrseg" else None
    return load_model(named[1], "cpu", proposals, dtype)


def asked(model: Any, system: str, task: Task) -> Prediction:
    (answer,) = model.answer(
        model.encode([FRAME]), [Ask(0, task, QUESTION, THRESHOLDS.get(system, 0.0))]
    )
    return answer


def test_only_the_language_model_is_held_in_16_bits(named: list[str]) -> None:
    full, held = (loaded(named, dtype).model for dtype in ("float32", "bfloat16"))
    assert {p.dtype for p in full.parameters()} == {torch.float32}
    language = {name for name, p in held.named_parameters() if p.dtype == torch.bfloat16}
    assert language
    for name, parameter in held.named_parameters():
        is_language = "language" in name or "lm_head" in name
        assert (name in language) == is_language == (parameter.dtype != torch.float32), name
    # Angles of positions and means of batches would suffer most, and weigh nothing.
    assert not [name for name, b in held.named_buffers() if b.dtype == torch.bfloat16]


def test_answers_stay_what_they_are(named: list[str]) -> None:
    full, held = (asked(loaded(named, d), named[0], Task.REASON) for d in ("float32", "float16"))
    assert len(full.segments) == len(held.segments) > 0
    for one, other in zip(full.segments, held.segments, strict=True):
        assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99
        assert abs(one.score - other.score) < 2e-3


def test_it_goes_on_speaking(named: list[str]) -> None:
    full, held = (loaded(named, dtype) for dtype in ("float32", "float16"))
    assert spoken(held, named[0]) == spoken(full, named[0])


def spoken(model: Any, system: str) -> str | None:
    """None of a model that only draws."""
    try:
        return str(asked(model, system, Task.CHAT).text)
    except UsageError:
        return None


def test_bfloat16_finds_the_same_thing() -> None:
    full, held = (
        asked(load_model(dtype=d), "embedded", Task.REASON) for d in ("float32", "bfloat16")
    )
    (one,), (other,) = full.segments, held.segments
    assert coco_mask.iou([one.rle], [other.rle], [0])[0, 0] > 0.99
