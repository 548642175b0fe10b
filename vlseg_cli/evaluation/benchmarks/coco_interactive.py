"""COCO-Interactive: things pointed at by a point, a scribble, a box or a mask.

PSALM scores against masks that went through its network's input size; ours keep their own size.
"""

from functools import partial
from pathlib import Path
from typing import cast

from vlseg_cli.datasets.coco_interactive import COCOInteractiveDataset
from vlseg_cli.datasets.polygons import Polygons
from vlseg_cli.datasets.toy.coco import write_coco
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.benchmarks.coco import HOMES
from vlseg_cli.evaluation.scorers.expressions import RegionScorer
from vlseg_cli.schema import Task
from vlseg_cli.schema.prompt import RegionKind

PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"polygons": "fill"},
    "hyperseg": {"polygons": "fill"},
}
KINDS: tuple[RegionKind, ...] = ("point", "scribble", "mask", "box")


def _opened(kind: RegionKind, home: Path, protocol: ProtocolChoice) -> Opened:
    polygons = cast(Polygons, protocol["polygons"])
    return Opened(COCOInteractiveDataset(home, kind, polygons), RegionScorer(kind))


BENCHMARKS = [
    Benchmark(
        name=f"coco-interactive-{kind}",
        title=f"COCO-Interactive, {kind}",
        task=Task.INTERACTIVE,
        homes=HOMES,
        open=partial(_opened, kind),
        write_toy=write_coco,
        papers=PAPERS,
        switches={"polygons": ("union", "fill")},
        size=4952,
    )
    for kind in KINDS
]
