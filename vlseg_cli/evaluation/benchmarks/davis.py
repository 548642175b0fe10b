"""DAVIS-2017: objects are given in the first frame; Ref-DAVIS17: by expressions.

PSALM takes from the truth which objects a frame shows; we never do. HyperSeg does not state how it
evaluates Ref-DAVIS17: four annotations, each with all objects on one map, is the set's own way;
'expression' is VISA's, one by one.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.davis import DAVISDataset, RefDAVISDataset
from vlseg_cli.datasets.toy.video_expressions import write_ref_davis
from vlseg_cli.datasets.toy.video_objects import write_davis
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.tracks import VOSScorer
from vlseg_cli.evaluation.scorers.video_expressions import RefDavisScorer, VideoExpressionScorer
from vlseg_cli.schema import Task

HOMES = ("DAVIS", ".")
SPLIT = "val"


def _vos(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(DAVISDataset(home, SPLIT), VOSScorer())


def _ref_davis(home: Path, protocol: ProtocolChoice) -> Opened:
    score = RefDavisScorer() if protocol["unit"] == "annotation" else VideoExpressionScorer()
    return Opened(RefDAVISDataset(home, SPLIT), score)


BENCHMARKS = [
    Benchmark(
        name="davis-2017-val",
        title="DAVIS-2017 val",
        task=Task.VOS,
        homes=HOMES,
        open=_vos,
        write_toy=partial(write_davis, split=SPLIT),
        papers={"psalm": {}},
        switches={},
        size=30,
    ),
    Benchmark(
        name="ref-davis-2017",
        title="Ref-DAVIS17 val",
        task=Task.RVOS,
        homes=HOMES,
        open=_ref_davis,
        write_toy=partial(write_ref_davis, split=SPLIT),
        papers={"hyperseg": {"unit": "annotation"}},
        switches={"unit": ("annotation", "expression")},
        size=30,
        threshold=0.0,
    ),
]
