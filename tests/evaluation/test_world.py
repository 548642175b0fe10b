"""The drawn world's benchmark on models whose score is known: the truth, nothing, near misses."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlseg_cli.evaluation.world import evaluate_world
from vlseg_cli.evaluation.world_queries import benchmark_sample
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
    UsageError,
    segment_from_mask,
)
from vlseg_cli.synthetic.categories import NAMES, STUFF
from vlseg_cli.synthetic.scene import KINDS

SEEDS = range(900_000, 900_006)
SIZE = 128


class Oracle:
    """Draws the scene again and answers each prompt with its truth."""

    name = "oracle"
    tasks = frozenset(Task)
    categories, stuff = NAMES, STUFF

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
        elif name not in ("n", "scenes", "model"):
            found.append(value)
    return found


def test_the_truth_scores_one_everywhere() -> None:
    result = evaluate_world(Oracle(), SEEDS, SIZE)
    assert numbers(result) == pytest.approx([1.0] * 25, abs=1e-5)
    assert (result["scenes"], result["model"]) == (len(SEEDS), "oracle")


def test_a_model_is_only_asked_what_it_can_be_asked() -> None:
    oracle = Oracle()
    oracle.tasks = frozenset((Task.REFER, Task.SEMANTIC))
    result = evaluate_world(oracle, SEEDS, SIZE)
    assert result["refer"]["cIoU"] == pytest.approx(1, abs=1e-5)
    assert result["reason"]["seen"]["gIoU"] is None
    assert result["ground"] == {"acc50": None, "n": 0}
    assert all(one["mIoU"] is None for one in result["interactive"].values())


def test_nothing_scores_zero_everywhere() -> None:
    assert numbers(evaluate_world(Silent(), SEEDS, SIZE)) == [0.0] * 25


def test_a_near_miss_lies_between_whatever_the_order() -> None:
    forward = evaluate_world(NearMiss(), SEEDS, SIZE)
    backward = evaluate_world(NearMiss(), SEEDS[::-1], SIZE)
    assert numbers(forward) == pytest.approx(numbers(backward))
    assert 0 < forward.pop("ground")["acc50"] <= 1  # boxes may well be near enough
    assert all(0 < value < 1 for value in numbers(forward))


def test_the_result_is_the_documented_json() -> None:
    result = evaluate_world(Silent(), SEEDS[:1], SIZE)
    assert json.loads(json.dumps(result)) == result
    assert list(result) == [
        *("refer", "reason", "ground", "panoptic", "semantic", "detect", "interactive"),
        *("scenes", "model"),
    ]
    assert set(result["refer"]) == {"cIoU", "gIoU", "P50", "by_kind"}
    assert list(result["refer"]["by_kind"]) == [
        *("category", "color", "position", "ordinal", "size", "relation", "all")
    ]
    assert all(set(row) == {"gIoU", "n"} for row in result["refer"]["by_kind"].values())
    assert result["reason"].keys() == {"seen", "heldout"}
    assert all(set(row) == {"gIoU", "cIoU"} for row in result["reason"].values())
    assert set(result["panoptic"]) == {"PQ", "SQ", "RQ"}
    assert set(result["semantic"]) == {"mIoU"}
    assert set(result["detect"]) == {"AP", "AP50"}
    assert list(result["interactive"]) == ["point", "box", "scribble", "mask"]


def test_report_and_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    evaluate_world(
        NearMiss(), SEEDS[:2], SIZE, tmp_path / "new" / "folder", lambda *at: seen.append(at)
    )
    assert seen == [(1, 2), (2, 2)]
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["index.html"]


def test_no_seeds_is_a_plain_error() -> None:
    with pytest.raises(UsageError, match="5:5 hold no scene"):
        evaluate_world(Silent(), range(5, 5), SIZE)


def test_each_kind_of_expression_has_its_share() -> None:
    queries = [q for seed in range(900_000, 900_040) for q in benchmark_sample(seed, SIZE).queries]
    kinds = Counter(query.kind for query in queries if query.task is Task.REFER)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 0.08 * kinds.total()


def test_a_scene_is_asked_the_same_every_time() -> None:
    first, again = benchmark_sample(900_003, SIZE), benchmark_sample(900_003, SIZE)
    for one, other in zip(first.queries, again.queries, strict=True):
        assert key(one.task, one.prompt) == key(other.task, other.prompt)
        assert (one.masks == other.masks).all()
