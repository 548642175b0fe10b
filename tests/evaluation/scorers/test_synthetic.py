"""Scores of synthetic scenes for models whose score is known: the truth, nothing, near misses."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs.stub import RecordingProgress, StubModel

from vlseg_cli.evaluation.benchmarks.synthetic import benchmark_sample, plan_scenes
from vlseg_cli.evaluation.plan import EvaluationPlan
from vlseg_cli.evaluation.run import evaluate
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.jobs.work_units import Shard
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import (
    Categories,
    Frame,
    PanopticMap,
    Prediction,
    Prompt,
    PromptRequest,
    Query,
    Regions,
    Sample,
    Task,
    segment_from_mask,
)
from vlseg_cli.synthetic.hands import NAMES, STUFF

SEEDS = range(900_000, 900_006)
SIZE = 128


class Oracle:
    """Draws the scene again and predicts the truth of each prompt."""

    name = "oracle"
    tasks = frozenset(Task)
    categories, stuff = NAMES, STUFF
    tokenizer, positions = None, 2048  # its prompts are never tokens

    def encode(self, frames: Sequence[Frame]) -> list[Sample]:
        samples = [benchmark_sample(int(f.source.removeprefix("world:")), SIZE) for f in frames]
        for frame, sample in zip(frames, samples, strict=True):
            assert (frame.pixels == sample.frame.pixels).all()
        return samples

    def predict(self, encoded: list[Sample], requests: Sequence[PromptRequest]) -> list[Prediction]:
        return [self.reply(encoded[ask.frame], ask) for ask in requests]

    def reply(self, sample: Sample, ask: PromptRequest) -> Prediction:
        (query,) = (q for q in sample.queries if key(q.task, q.prompt) == key(ask.task, ask.prompt))
        masks = self.masks(query)
        names = isinstance(ask.prompt, Categories)
        segments = tuple(
            segment_from_mask(mask, float(mask.mean()), "it", int(label) if names else None)
            for mask, label in zip(masks, query.labels, strict=True)
        )
        if ask.task is Task.DETECT and ask.threshold is None:
            segments = ()  # as unsure as real models are: nothing reaches the usual threshold
        ids = np.zeros(masks.shape[1:], np.int32)
        for number, mask in enumerate(masks, start=1):
            ids[mask] = number
        return Prediction(
            sample.frame.source,
            0,
            sample.frame.height,
            sample.frame.width,
            ask.task,
            ask.prompt,
            segments,
            panoptic=PanopticMap(ids) if ask.task in (Task.PANOPTIC, Task.SEMANTIC) else None,
        )

    def masks(self, query: Query) -> np.ndarray:
        return query.masks


class NearMiss(Oracle):
    """The truth, two pixels too far right."""

    name = "near miss"

    def masks(self, query: Query) -> np.ndarray:
        return np.roll(query.masks, 2, axis=2)


class Silent(Oracle):
    """Finds nothing anywhere."""

    name = "silent"

    def reply(self, sample: Sample, ask: PromptRequest) -> Prediction:
        frame = sample.frame
        return Prediction(
            frame.source, 0, frame.height, frame.width, ask.task, ask.prompt, segments=()
        )


def key(task: Task, prompt: Prompt) -> Any:
    if isinstance(prompt, Regions):
        return task, tuple((one.kind, one.mask.tobytes()) for one in prompt.regions)
    return task, prompt


def numbers(tree: dict[str, Any]) -> list[float | None]:
    """Every score in the tree, counts and names left out."""
    found: list[float | None] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += numbers(value)
        elif name not in (
            *("n", "scenes", "model", "answered", "ECE"),
            *("absent", "absent_empty", "present_answered"),
        ):
            found.append(value)
    return found


def scored(
    model: Segmenter, seeds: range = SEEDS, out: Path | None = None, shard: Shard | None = None
) -> dict[str, Any] | None:
    """The numbers of an evaluation, None as long as another shard has work left."""
    settings = JobSettings(
        OutputFolder(out or Path()),
        (),
        shard=shard or Shard(),
        keep_records=out is not None,
        exact_scores=True,
    )
    plan = EvaluationPlan([plan_scenes(seeds, SIZE, model.tasks)])
    done = evaluate(
        plan, Job(("eval",), model.name, [], {}), settings, lambda: model, RecordingProgress()
    )
    return None if done.results is None else dict(done.results["world"].details)


def test_true_masks_score_one() -> None:
    result = scored(Oracle())
    assert numbers(result) == pytest.approx([1.0] * 27, abs=1e-5)
    assert result["scenes"] == len(SEEDS)


def test_tasks_that_a_model_does_not_support_have_no_score() -> None:
    oracle = Oracle()
    oracle.tasks = frozenset((Task.REFER, Task.SEMANTIC))
    result = scored(oracle)
    assert result["refer"]["cIoU"] == pytest.approx(1, abs=1e-5)
    assert result["reason"]["seen"]["gIoU"] is None
    assert result["ground"] == {"acc50": None, "n": 0}
    assert all(one["mIoU"] is None for one in result["interactive"].values())


def test_empty_predictions_score_zero() -> None:
    assert numbers(scored(Silent())) == [0.0] * 27


def test_shifted_masks_score_between_zero_and_one_in_any_order() -> None:
    forward = scored(NearMiss())
    backward = scored(NearMiss(), SEEDS[::-1])
    assert numbers(forward) == pytest.approx(numbers(backward))
    assert 0 < forward.pop("ground")["acc50"] <= 1  # boxes may well be near enough
    assert all(0 < value < 1 for value in numbers(forward))


def test_the_result_is_the_documented_json() -> None:
    result = scored(Silent(), SEEDS[:1])
    assert json.loads(json.dumps(result)) == result
    assert list(result) == [
        *("refer", "reason", "ground", "panoptic", "semantic", "detect", "interactive"),
        *("sentences", "scenes"),
    ]
    assert set(result["refer"]) == {"cIoU", "gIoU", "P50", "by_kind"}
    assert list(result["refer"]["by_kind"]) == [
        *("category", "color", "position", "ordinal", "size", "relation", "all"),
        "colour",  # as the first release wrote it
    ]
    assert all(set(row) == {"gIoU", "n"} for row in result["refer"]["by_kind"].values())
    assert result["reason"].keys() == {"seen", "heldout"}
    assert all(set(row) == {"gIoU", "cIoU"} for row in result["reason"].values())
    assert set(result["panoptic"]) == {"PQ", "SQ", "RQ"}
    assert set(result["semantic"]) == {"mIoU"}
    assert set(result["detect"]) == {"AP", "AP50"}
    assert list(result["interactive"]) == ["point", "box", "scribble", "mask"]
    assert result["sentences"] == {
        **{"boundary_IoU": 0, "ECE": None, "answered": 0},
        **{"absent": 3, "absent_empty": 1, "present_answered": 0},
    }


class Talkative(Oracle):
    """Answers what is not there with the whole image."""

    name = "talkative"

    def reply(self, sample: Sample, ask: PromptRequest) -> Prediction:
        prediction = super().reply(sample, ask)
        if prediction.segments or ask.task not in (Task.REFER, Task.REASON):
            return prediction
        everything = np.ones((prediction.height, prediction.width), bool)
        return replace(prediction, segments=(segment_from_mask(everything, 0.9, "it"),))


def test_answers_to_what_is_absent_are_counted_apart() -> None:
    right, wrong = scored(Oracle())["sentences"], scored(Talkative())["sentences"]
    assert (right["absent_empty"], right["present_answered"]) == (1, 1)
    assert (wrong["absent_empty"], wrong["present_answered"]) == (0, 1)
    assert right["absent"] == wrong["absent"] == 3 * len(SEEDS)


class Unsure(NearMiss):
    """Scores that differ in the tenth digit alone, and so rank the boxes of different scenes."""

    def reply(self, sample: Sample, ask: PromptRequest) -> Prediction:
        prediction = super().reply(sample, ask)
        segments = tuple(replace(one, score=0.5 + 1e-10 * one.area) for one in prediction.segments)
        return replace(prediction, segments=segments)


def test_shards_and_a_resumed_run_give_the_same_numbers(tmp_path: Path) -> None:
    whole = scored(Unsure())
    assert scored(Unsure(), out=tmp_path, shard=Shard(0, 2)) is None
    assert scored(Unsure(), out=tmp_path, shard=Shard(1, 2)) == whole
    again = StubModel()  # is not run: every record is there
    again.name = "near miss"
    assert scored(again, out=tmp_path) == whole and not again.batches


def test_an_interrupted_run_continues(tmp_path: Path) -> None:
    class Breaking(Unsure):
        left = 3

        def encode(self, frames: Sequence[Frame]) -> list[Sample]:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().encode(frames)

    with pytest.raises(KeyboardInterrupt):
        scored(Breaking(), out=tmp_path)
    assert scored(Unsure(), out=tmp_path) == scored(Unsure())
