"""What an evaluation costs beside its model: the share of time spent outside the embedded default
on images with five expressions each, and the peak memory for a tenth and for all of them.

    python benchmarks/evaluation.py [IMAGES] [FOLDER FOR TEMPORARY FILES]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.refcoco import RefCOCODataset
from vlseg_cli.datasets.toy.refcoco import write_refcoco
from vlseg_cli.evaluation.benchmarks.base import Opened
from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.run import evaluate
from vlseg_cli.evaluation.scorers.expressions import ExpressionScorer
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Frame, Prediction, PromptRequest, Record, Sample

IMAGES, EXPRESSIONS, FIRST_SEED, SIZE = 1000, 5, 920000, 256


class TimedModel:
    """The embedded default with a timer."""

    def __init__(self, model: Segmenter) -> None:
        self.model, self.seconds = model, 0.0
        self.name, self.tasks = model.name, model.tasks
        self.categories, self.stuff = model.categories, model.stuff
        self.tokenizer, self.positions = model.tokenizer, model.positions

    def encode(self, frames: Sequence[Frame]) -> Any:
        start = time.perf_counter()
        encoded = self.model.encode(frames)
        self.seconds += time.perf_counter() - start
        return encoded

    def predict(self, encoded: Any, requests: Sequence[PromptRequest]) -> list[Prediction]:
        start = time.perf_counter()
        predictions = self.model.predict(encoded, requests)
        self.seconds += time.perf_counter() - start
        return predictions


class FiveExpressions:
    """The images of a set with at least five expressions, with five of them."""

    def __init__(self, whole: RefCOCODataset, most: int) -> None:
        self.whole = whole
        enough = (n for n in range(len(whole)) if len(whole[n].queries) >= EXPRESSIONS)
        self.numbers = [number for number, _ in zip(enough, range(most), strict=False)]

    def __len__(self) -> int:
        return len(self.numbers)

    def source(self, number: int) -> str:
        return self.whole.source(self.numbers[number])

    def __getitem__(self, number: int) -> Sample:
        sample = self.whole[self.numbers[number]]
        return replace(sample, queries=sample.queries[:EXPRESSIONS])


class NoProgress:
    """Prints nothing."""

    def start(self, total: int, done: int) -> None: ...
    def frames(self, count: int) -> None: ...
    def item(self, source: str, error: str | None) -> None:
        assert error is None, error

    def records(self, records: Sequence[Record]) -> None: ...
    def note(self, text: str) -> None: ...


def measure(data: Path, out: Path, images: int) -> dict[str, float]:
    """Evaluate in this process; the share outside the model, and its peak memory in MB."""
    benchmark = BENCHMARKS["refcoco-val"]
    dataset = FiveExpressions(RefCOCODataset(data, "refcoco", "val"), images)
    plan = EvaluationPlan([PlannedBenchmark(benchmark, {}, Opened(dataset, ExpressionScorer()))])
    model = TimedModel(load_model())
    model.predict(model.encode([dataset[0].frame]), [])  # the first call is slower
    model.seconds = 0.0
    job = Job(("eval",), "embedded", [], {"save": []})
    settings = JobSettings(OutputFolder(out), (), batch_size=4, keep_records=True)
    start = time.perf_counter()
    done = evaluate(plan, job, settings, lambda: model, NoProgress())
    seconds = time.perf_counter() - start
    assert done.results is not None
    assert done.results["refcoco-val"].n == EXPRESSIONS * len(dataset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outside = (seconds - model.seconds) / seconds
    return {"images": len(dataset), "seconds": seconds, "outside": outside, "peak": peak}


def main() -> None:
    """Print the figures; each size is measured in a process of its own."""
    if len(sys.argv) == 5 and sys.argv[1] == "--measure":
        print(json.dumps(measure(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))
        return
    images = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        seeds = range(FIRST_SEED, FIRST_SEED + images + images // 2)  # some scenes have too few
        write_refcoco(folder, "refcoco", seeds, SIZE, splits=("val",))
        print(f"{os.cpu_count()} CPU cores, {EXPRESSIONS} expressions an image")
        for count in (max(1, images // 10), images):
            out = folder / f"out-{count}"
            command = [sys.executable, __file__, "--measure", str(folder), str(out), str(count)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(ran.stdout)
            print(
                f"{found['images']:.0f} images: {found['seconds']:.1f} s, "
                f"{found['outside']:.1%} of it outside the model, "
                f"peak memory {found['peak']:.0f} MB"
            )


if __name__ == "__main__":
    main()
