"""Scores of synthetic clips for models whose score is known: the truth, nothing, lost tracks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jobs.stub import RecordingProgress

from vlseg_cli.evaluation.benchmarks.synthetic import plan_clips
from vlseg_cli.evaluation.plan import EvaluationPlan
from vlseg_cli.evaluation.run import evaluate
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import (
    Categories,
    ClipQuery,
    ClipSample,
    Frame,
    Prediction,
    Prompt,
    PromptRequest,
    Regions,
    Segment,
    Task,
    segment_from_mask,
)
from vlseg_cli.synthetic.clip_samples import ClipMix, clip_sample
from vlseg_cli.synthetic.hands import NAMES, STUFF

SEEDS, SIZE, FRAMES = range(900_000, 900_003), 80, 5


class Oracle:
    """Draws the clip again and predicts the truth of each prompt."""

    name = "oracle"
    tasks = frozenset(Task)
    categories, stuff = NAMES, STUFF
    tokenizer, positions = None, 2048  # its prompts are never tokens

    def encode(self, frames: Sequence[Frame]) -> Any:
        raise NotImplementedError

    def predict(self, encoded: Any, requests: Sequence[PromptRequest]) -> list[Prediction]:
        raise NotImplementedError

    def session(self, requests: Sequence[PromptRequest], state: Any = None) -> "OracleSession":
        return OracleSession(self, requests)

    def segments(self, query: ClipQuery, frame: Frame) -> list[Segment]:
        masks = query.masks(frame.index)
        assert masks is not None
        return [
            segment_from_mask(
                mask, 1.0, "it", int(label) if self.named(query) else None, self.number(one, frame)
            )
            for mask, label, one in zip(masks, query.labels, query.objects, strict=True)
            if mask.any()
        ]

    def named(self, query: ClipQuery) -> bool:
        return isinstance(query.prompt, Categories)

    def number(self, thing: int, frame: Frame) -> int:
        return thing


class Silent(Oracle):
    """Tracks nothing."""

    def segments(self, query: ClipQuery, frame: Frame) -> list[Segment]:
        first = query.task is Task.VOS and frame.index == 0  # which is given
        return super().segments(query, frame) if first else []


class Forgetful(Oracle):
    """Gives everything named a new number in the third frame."""

    def segments(self, query: ClipQuery, frame: Frame) -> list[Segment]:
        self.renumbers = self.named(query) and frame.index >= 2
        return super().segments(query, frame)

    def number(self, thing: int, frame: Frame) -> int:
        return thing + 100 * self.renumbers


class OracleSession:
    def __init__(self, model: Oracle, requests: Sequence[PromptRequest]) -> None:
        self.model, self.requests = model, requests

    def step(self, frame: Frame) -> list[Prediction]:
        sample = clip_sample(int(frame.source.removeprefix("world:")), ClipMix(FRAMES, SIZE))
        assert (sample.read(frame.index).pixels == frame.pixels).all()
        return [self.reply(sample, ask, frame) for ask in self.requests]

    def reply(self, sample: ClipSample, ask: PromptRequest, frame: Frame) -> Prediction:
        (query,) = (q for q in sample.queries if key(q.task, q.prompt) == key(ask.task, ask.prompt))
        size = (frame.height, frame.width)
        segments = tuple(self.model.segments(query, frame))
        return Prediction(frame.source, frame.index, *size, ask.task, ask.prompt, segments)

    def state(self) -> dict[str, Any]:
        return {}


def key(task: Task, prompt: Prompt) -> Any:
    if isinstance(prompt, Regions):
        return task, tuple(one.mask.tobytes() for one in prompt.regions)
    return task, prompt


def scored(model: Oracle, seeds: range = SEEDS, out: Path | None = None) -> dict[str, Any]:
    settings = JobSettings(
        OutputFolder(out or Path()), (), keep_records=out is not None, exact_scores=True
    )
    plan = EvaluationPlan([plan_clips(seeds, SIZE, FRAMES)])
    done = evaluate(
        plan, Job(("eval",), "oracle", [], {}), settings, lambda: model, RecordingProgress()
    )
    assert done.results is not None
    return dict(done.results["world"].details)


def test_true_masks_score_one() -> None:
    result = scored(Oracle())
    for task in ("vos", "refer", "reason"):
        assert result[task]["J&F"] == result[task]["J"] == result[task]["F"] == 1
    assert result["vis"]["mAP"] == pytest.approx(1, abs=1e-6)
    assert (result["vis"]["id_switches"], result["vis"]["found"]) == (0, 1)
    assert result["clips"] == 3


def test_empty_predictions_score_low() -> None:
    result = scored(Silent())
    assert result["vos"]["J&F"] < 0.2 and result["refer"]["J&F"] < 0.2  # what is gone is right
    assert result["vis"]["mAP"] == result["vis"]["found"] == 0


def test_new_numbers_are_switches_and_cost_tracks() -> None:
    result = scored(Forgetful())
    assert result["vis"]["id_switches"] > len(SEEDS)
    assert result["vis"]["mAP"] < 0.7 and result["vis"]["found"] == 1
    assert result["vos"]["J&F"] == 1


def test_the_result_is_json_and_the_same_from_the_record_store(tmp_path: Path) -> None:
    result = scored(Forgetful(), SEEDS[:2], tmp_path)
    assert json.loads(json.dumps(result)) == result
    assert scored(Silent(), SEEDS[:2], tmp_path) == result == scored(Forgetful(), SEEDS[:2])
