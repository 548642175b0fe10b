"""DAVIS-2017: objects of the first frame are followed; Ref-DAVIS17: sentences mean them.

PSALM reads from the truth which objects a frame shows; we never do. HyperSeg has not said how it
measures Ref-DAVIS17: four annotations, each with all objects on one map, are the set's own way;
'expression' is VISA's, one by one.
"""

from pathlib import Path

from vlseg_cli.datasets.davis import DAVISDataset, RefDAVISDataset
from vlseg_cli.datasets.toy.davis import write_davis, write_ref_davis
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.tracks import VOSScorer
from vlseg_cli.evaluation.scorers.video_expressions import RefDavisScorer, VideoExpressionScorer
from vlseg_cli.schema import Task

HOMES = ("DAVIS", ".")
SPLIT = "val"


def _followed(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(DAVISDataset(home, SPLIT), VOSScorer())


def _referred(home: Path, protocol: ProtocolChoice) -> Opened:
    score = RefDavisScorer() if protocol["unit"] == "annotation" else VideoExpressionScorer()
    return Opened(RefDAVISDataset(home, SPLIT), score)


def _write_toy(folder: Path, seeds: range) -> None:
    write_davis(folder / HOMES[0], SPLIT, seeds)


def _write_ref_toy(folder: Path, seeds: range) -> None:
    write_ref_davis(folder / HOMES[0], SPLIT, seeds)


BENCHMARKS = [
    Benchmark(
        name="davis-2017-val",
        title="DAVIS-2017 val",
        task=Task.VOS,
        homes=HOMES,
        open=_followed,
        write_toy=_write_toy,
        papers={"psalm": {}},
        switches={},
        size=30,
    ),
    Benchmark(
        name="ref-davis-2017",
        title="Ref-DAVIS17 val",
        task=Task.RVOS,
        homes=HOMES,
        open=_referred,
        write_toy=_write_ref_toy,
        papers={"hyperseg": {"unit": "annotation"}},
        switches={"unit": ("annotation", "expression")},
        size=30,
        threshold=0.0,
    ),
]
