"""Ego-Exo4D correspondence: an object of one camera, segmented in the other's view, both ways."""

from functools import partial
from pathlib import Path
from typing import Literal

from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.toy.video_objects import write_ego_exo
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.tracks import CorrespondenceScorer
from vlseg_cli.schema import Task

HOMES = ("ego-exo4d/val", "val", ".")
QUERIES: tuple[Literal["ego", "exo"], ...] = ("ego", "exo")


def _opened(query: Literal["ego", "exo"], home: Path, _: ProtocolChoice) -> Opened:
    return Opened(EgoExoDataset(home, query), CorrespondenceScorer())


BENCHMARKS = [
    Benchmark(
        name=f"ego-exo4d-{query}",
        title=f"Ego-Exo4D val, {query} query",
        task=Task.VOS,
        homes=HOMES,
        open=partial(_opened, query),
        write_toy=write_ego_exo,
        papers={"psalm": {}},
        switches={},
        size=None,
    )
    for query in QUERIES
]
