"""gRefCOCO: a sentence may mean several things, or nothing.

PSALM's line joins every proposal that scores above 0.6 and counts as LISA does; gRefCOCO's own
evaluator leaves sentences without a target out of cIoU.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark, Opened, Protocol
from vlseg_cli.evaluation.benchmarks.refcoco import HOMES, SPECIMENS, open_refcoco
from vlseg_cli.evaluation.benchmarks.refcoco import SWITCHES as REFERRING
from vlseg_cli.evaluation.scores.generalised import GeneralisedScore
from vlseg_cli.schema import Task

SWITCHES = {**REFERRING, "counting": ("official", "lisa")}
_PSALM_LINE = {"unit": "ref", "polygons": "fill", "counting": "lisa"}
PAPERS: dict[str, Protocol] = {
    "psalm": _PSALM_LINE,
    "hyperseg": _PSALM_LINE,
    "mvp-lm": _PSALM_LINE,
    "self1e": {"unit": "sentence", "polygons": "sum", "counting": "lisa"},
}
SPLITS = {"val": 1500, "testA": 750, "testB": 750}


def _opened(split: str, home: Path, protocol: Protocol) -> Opened:
    score = GeneralisedScore(official=protocol["counting"] == "official")
    return Opened(open_refcoco("grefcoco", split, home, protocol), score)


BENCHMARKS = [
    Benchmark(
        name=f"grefcoco-{split}",
        title=f"gRefCOCO {split}",
        task=Task.REFER,
        homes=HOMES,
        open=partial(_opened, split),
        specimen=SPECIMENS["grefcoco"],
        papers=PAPERS,
        switches=SWITCHES,
        size=size,
        threshold=0.6,
        many=True,
    )
    for split, size in SPLITS.items()
]
