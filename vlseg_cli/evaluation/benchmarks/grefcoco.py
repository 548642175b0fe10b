"""gRefCOCO: a sentence may mean several things, or nothing.

Every proposal that scores above 0.6 joins the answer, as in PSALM's line. An empty answer says that
nothing is meant.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.benchmarks.refcoco import HOMES, SWITCHES, TOY_WRITERS, open_refcoco
from vlseg_cli.evaluation.benchmarks.refcoco import PAPERS as REFERRING
from vlseg_cli.evaluation.scorers.expressions import GeneralizedScorer
from vlseg_cli.schema import Task

PAPERS = {system: of for system, of in REFERRING.items() if system != "hrseg"}
SPLITS = {"val": 1500, "testA": 750, "testB": 750}


def _opened(split: str, home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(open_refcoco("grefcoco", split, home, protocol), GeneralizedScorer())


BENCHMARKS = [
    Benchmark(
        name=f"grefcoco-{split}",
        title=f"gRefCOCO {split}",
        task=Task.REFER,
        homes=HOMES,
        open=partial(_opened, split),
        write_toy=TOY_WRITERS["grefcoco"],
        papers=PAPERS,
        switches=SWITCHES,
        size=size,
        threshold=0.6,
        many=True,
    )
    for split, size in SPLITS.items()
]
