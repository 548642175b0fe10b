"""Every image benchmark on its toy data: true masks get full marks, empty ones none."""

from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.evaluation.benchmarks.base import Benchmark
from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS, write_toy_sets
from vlseg_cli.schema import (
    Categories,
    Frame,
    PanopticMap,
    Prediction,
    Query,
    Sample,
    Segment,
    Task,
    segment_from_mask,
)

IMAGES = [one for one in BENCHMARKS.values() if not one.is_video and one.task is not Task.CHAT]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy versions of all sets, four scenes each: RefCOCO has four splits."""
    root = tmp_path_factory.mktemp("data")
    write_toy_sets(IMAGES, root, 4)
    return root


def truth(frame: Frame, query: Query) -> Prediction:
    """The perfect prediction."""
    labels = query.labels.tolist()
    if query.task is Task.SEMANTIC:
        pairs = [(query.masks[query.labels == one].any(0), one) for one in sorted(set(labels))]
    else:
        pairs = list(zip(query.masks, labels, strict=True))
    named = isinstance(query.prompt, Categories)
    crowd = query.crowd if query.crowd is not None else np.zeros(len(pairs), bool)
    found: list[Segment] = []
    ids = np.zeros(query.masks.shape[1:], np.int32)
    for (mask, label), is_crowd in zip(pairs, crowd[: len(pairs)], strict=True):
        if not is_crowd:
            found.append(segment_from_mask(mask, 1.0, "", label if named else None))
            ids[mask] = len(found)
    return Prediction(
        frame.source,
        0,
        frame.height,
        frame.width,
        query.task,
        query.prompt,
        tuple(found),
        panoptic=PanopticMap(ids),
    )


def nothing(frame: Frame, query: Query) -> Prediction:
    size = frame.height, frame.width
    ids = PanopticMap(np.zeros(size, np.int32))
    return Prediction(frame.source, 0, *size, query.task, query.prompt, (), panoptic=ids)


def samples(benchmark: Benchmark, data: Path) -> tuple[list[Sample], object]:
    opened = benchmark.find(data, benchmark.protocol("psalm", {}))
    return [opened.dataset[n] for n in range(len(opened.dataset))], opened.scorer


@pytest.mark.parametrize("benchmark", IMAGES, ids=lambda one: one.name)
def test_full_marks_and_none(benchmark: Benchmark, data: Path) -> None:
    for answer, marks in ((truth, 100), (nothing, 0)):
        found, score = samples(benchmark, data)
        assert found
        for sample in found:
            assert all(query.task is benchmark.task for query in sample.queries)
            cases = score.add(sample, [answer(sample.frame, one) for one in sample.queries])
            assert all(0 <= case.score <= 1 for case in cases)
        result = score.result()
        assert result.n >= len(found)
        headline = next(iter(result.measures.values()))
        if benchmark.name.startswith("grefcoco") and not marks:
            assert result.measures["N-acc"] == 100 and result.measures["T-acc"] == 0
        else:
            assert headline == pytest.approx(marks, abs=1e-4)


@pytest.mark.parametrize("benchmark", IMAGES, ids=lambda one: one.name)
def test_sources_are_the_images_that_are_read(benchmark: Benchmark, data: Path) -> None:
    for protocol in benchmark.papers.values():
        dataset = benchmark.find(data, protocol).dataset
        assert dataset.source(0) == dataset[0].frame.source
