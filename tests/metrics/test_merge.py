"""Every metric: shards merged in any way give the single-process result, bit for bit."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator

from vlseg_cli.evaluation.metrics.average_precision import AveragePrecision, Detection, TrueInstance
from vlseg_cli.evaluation.metrics.choices import MME, MMBench, Pope, ScienceQA
from vlseg_cli.evaluation.metrics.cityscapes import CityscapesAP, ScoredMask
from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised, DavisUnsupervised, RefDavis
from vlseg_cli.evaluation.metrics.exact import ExactSum
from vlseg_cli.evaluation.metrics.id_switches import IdSwitches
from vlseg_cli.evaluation.metrics.panoptic_quality import PanopticQuality, PanopticSegment
from vlseg_cli.evaluation.metrics.rec import BoxAccuracy
from vlseg_cli.evaluation.metrics.refer import GeneralizedMaskIoU, MaskIoU
from vlseg_cli.evaluation.metrics.semantic import SemanticIoU
from vlseg_cli.evaluation.metrics.video_expressions import ExpressionJF, ExpressionType, ReVOS
from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy, SoftAccuracy, VQAAccuracy
from vlseg_cli.evaluation.metrics.ytvis import VideoAveragePrecision
from vlseg_cli.schema import encode_rle

WORDS = ["yes", "No.", "two", "a cat", "B", "The answer is A."]


def mask(rng: Generator) -> np.ndarray:
    return rng.random((6, 7)) < rng.random()


def clip(rng: Generator) -> np.ndarray:
    return np.stack([mask(rng) for _ in range(4)])


def ids(rng: Generator) -> np.ndarray:
    maps = rng.integers(0, 4, (4, 6, 7))
    maps[0, 0, :3] = (1, 2, 3)
    return maps


def box(rng: Generator) -> tuple[float, float, float, float]:
    return tuple(rng.integers(1, 9, 4).astype(float))


def word(rng: Generator) -> str:
    return str(rng.choice(WORDS))


def segments(maps: np.ndarray) -> list[PanopticSegment]:
    return [PanopticSegment(int(i), int(i) % 2) for i in np.unique(maps) if i]


def panoptic(rng: Generator, _: int) -> tuple[Any, ...]:
    goal, guess = ids(rng)[1], ids(rng)[1]
    return goal, segments(goal), guess, segments(guess)


def boxes(rng: Generator, number: int) -> tuple[Any, ...]:
    goals = [TrueInstance(int(rng.integers(2)), box(rng), 9.0) for _ in range(3)]
    scores = rng.integers(1, 4, 5) / 10  # many ties, within and between images
    guesses = [Detection(int(rng.integers(2)), box(rng), float(score)) for score in scores]
    return number, goals, guesses


def tracks(rng: Generator, number: int) -> tuple[Any, ...]:
    def tube() -> list[Any]:
        return [encode_rle(one) if rng.random() < 0.8 else None for one in clip(rng)]

    goals = [TrueInstance(int(rng.integers(2)), tube(), 5.0) for _ in range(2)]
    scores = rng.integers(1, 4, 3) / 10
    guesses = [Detection(int(rng.integers(2)), tube(), float(score)) for score in scores]
    return number, goals, guesses


def street(rng: Generator, _: int) -> tuple[Any, ...]:
    """Cityscapes ids: road, void, a group, two cars above the smallest size."""
    truth = np.kron(rng.choice([7, 3, 26, 26001, 26002], (3, 3)), np.ones((11, 11), int))
    scores = rng.integers(1, 4, 4) / 10
    guesses = [np.isin(truth, rng.choice([7, 26, 26001, 26002], 2)) for _ in scores]
    return truth, [ScoredMask(26, one, float(s)) for one, s in zip(guesses, scores, strict=True)]


Sampler = Callable[[Generator, int], tuple[Any, ...]]
METRICS: dict[str, tuple[Callable[[], Any], Sampler]] = {
    "panoptic": (lambda: PanopticQuality([0, 1], things=[0]), panoptic),
    "semantic": (
        lambda: SemanticIoU(3, boundaries=True),
        lambda rng, _: (ids(rng)[1], ids(rng)[1]),
    ),
    "boxes": (lambda: AveragePrecision([0, 1]), boxes),
    "tracks": (lambda: VideoAveragePrecision([0, 1]), tracks),
    "cityscapes": (CityscapesAP, street),
    "refer": (MaskIoU, lambda rng, _: (mask(rng), mask(rng), mask(rng))),
    "grefer": (
        GeneralizedMaskIoU,
        lambda rng, _: (mask(rng), mask(rng), rng.random() < 0.4, rng.random() < 0.4),
    ),
    "rec": (BoxAccuracy, lambda rng, _: (box(rng), box(rng))),
    "davis": (DavisSemiSupervised, lambda rng, n: (str(n), ids(rng), ids(rng))),
    "davis-unsupervised": (DavisUnsupervised, lambda rng, n: (str(n), ids(rng), ids(rng))),
    "ref-davis": (RefDavis, lambda rng, n: (n % 4, str(n), ids(rng), ids(rng))),
    "mevis": (ExpressionJF, lambda rng, _: (clip(rng), clip(rng))),
    "revos": (
        ReVOS,
        lambda rng, n: (ExpressionType(n % 3), clip(rng), clip(rng), clip(rng).sum((1, 2))),
    ),
    "vqa": (VQAAccuracy, lambda rng, _: (word(rng), [word(rng) for _ in range(10)])),
    "m4c": (SoftAccuracy, lambda rng, _: (word(rng), [word(rng) for _ in range(10)])),
    "gqa": (GQAAccuracy, lambda rng, _: (word(rng), word(rng))),
    "pope": (Pope, lambda rng, n: (f"category {n % 2}", word(rng), rng.random() < 0.5)),
    "scienceqa": (ScienceQA, lambda rng, _: (word(rng), int(rng.integers(3)), 3)),
    "id_switches": (
        IdSwitches,
        lambda rng, _: ([({1: m, 2: ~m}, {int(rng.integers(3)): m}) for m in clip(rng)],),
    ),
    "mme": (MME, lambda rng, n: ("OCR", f"{n // 2}", word(rng), "Yes")),
    "mmbench": (MMBench, lambda rng, n: (n // 2 + 1_000_000 * (n % 2), word(rng), "B")),
}


def plain(result: Any) -> Any:
    """A result as nested lists and dictionaries that compare with ==, NaN being NaN."""
    if isinstance(result, ExactSum):
        return result.total, result.count
    if isinstance(result, np.ndarray):
        return repr(result.tolist())
    if is_dataclass(result):
        return {one.name: plain(getattr(result, one.name)) for one in fields(result)}
    if isinstance(result, dict):
        return {key: plain(value) for key, value in result.items()}
    return [plain(one) for one in result] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name", METRICS)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), data=st.data())
@settings(max_examples=8)
def test_shards_in_any_order_equal_a_single_pass(
    name: str, seed: int, count: int, data: st.DataObject
) -> None:
    create, sample = METRICS[name]
    rng = np.random.default_rng(seed)
    samples = [sample(rng, number) for number in range(count)]
    whole, merged, shards = create(), create(), [create() for _ in range(3)]
    for one in samples:
        whole.add(*one)
    for position in data.draw(st.permutations(range(count))):
        data.draw(st.sampled_from(shards)).add(*samples[position])
    for shard in data.draw(st.permutations(shards)):
        merged.merge(shard)
    assert plain(merged.result()) == plain(whole.result())


@pytest.mark.parametrize("name", METRICS)
def test_results_can_be_read_at_any_time(name: str) -> None:
    create, sample = METRICS[name]
    meter, other = create(), create()
    empty = plain(meter.result())
    first = sample(np.random.default_rng(1), 0)
    meter.add(*first)
    assert plain(meter.result()) == plain(meter.result()) != empty
    meter.merge(other)
    other.add(*first)
    assert plain(meter.result()) == plain(other.result())
