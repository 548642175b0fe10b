"""COCO-Interactive: things pointed at by a point, a scribble, a box or a mask.

PSALM scores against masks that went through its network's input size; ours keep their own size.
"""

from functools import partial
from pathlib import Path
from typing import cast

from vlseg_cli.datasets.coco_interactive import COCOInteractive
from vlseg_cli.datasets.coco_masks import Polygons
from vlseg_cli.datasets.specimens.coco import write_coco
from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark, Opened, Protocol
from vlseg_cli.evaluation.benchmarks.coco import HOMES
from vlseg_cli.evaluation.scores.regions import RegionScore
from vlseg_cli.schema import Task
from vlseg_cli.schema.prompt import RegionKind

PAPERS: dict[str, Protocol] = {"psalm": {"polygons": "fill"}, "hyperseg": {"polygons": "fill"}}
KINDS: tuple[RegionKind, ...] = ("point", "scribble", "mask", "box")


def _opened(kind: RegionKind, home: Path, protocol: Protocol) -> Opened:
    polygons = cast(Polygons, protocol["polygons"])
    return Opened(COCOInteractive(home, kind, polygons), RegionScore(kind))


BENCHMARKS = [
    Benchmark(
        name=f"coco-interactive-{kind}",
        title=f"COCO-Interactive, {kind}",
        task=Task.INTERACTIVE,
        homes=HOMES,
        open=partial(_opened, kind),
        specimen=write_coco,
        papers=PAPERS,
        switches={"polygons": ("union", "fill")},
        size=4952,
    )
    for kind in KINDS
]
