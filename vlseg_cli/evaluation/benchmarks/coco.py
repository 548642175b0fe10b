"""COCO val2017: panoptic, instance, semantic (133 names), and COCO-Interactive's region prompts.

PSALM and HyperSeg use the names of COCO's file ('wall-other-merged'), MVP-LM drops the endings.
PSALM scores COCO-Interactive against masks that went through its network's input size; ours keep
their own size.
"""

from functools import partial
from pathlib import Path
from typing import cast

from vlseg_cli.datasets.coco_instances import coco_instances
from vlseg_cli.datasets.coco_interactive import COCOInteractiveDataset
from vlseg_cli.datasets.coco_panoptic import coco_panoptic
from vlseg_cli.datasets.polygons import Polygons
from vlseg_cli.datasets.toy.coco import write_coco
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice, open_names
from vlseg_cli.evaluation.scorers.categories import InstanceScorer, PanopticScorer, SemanticScorer
from vlseg_cli.evaluation.scorers.expressions import RegionScorer
from vlseg_cli.schema import Task
from vlseg_cli.schema.prompt import RegionKind

HOMES = ("coco", ".")
SWITCHES = {"names": ("plain", "clean")}
PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"names": "plain"},
    "hyperseg": {"names": "plain"},
    "mvp-lm": {"names": "clean"},
}


_FORMS = (
    ("panoptic", Task.PANOPTIC, coco_panoptic, PanopticScorer, None),
    ("instance", Task.INSTANCE, coco_instances, InstanceScorer, 0.0),  # AP ranks everything
    ("semantic", Task.SEMANTIC, partial(coco_panoptic, task=Task.SEMANTIC), SemanticScorer, None),
)

COCO_BENCHMARKS = [
    Benchmark(
        name=f"coco-{form}",
        title=f"COCO val2017, {form}",
        task=task,
        homes=HOMES,
        open=partial(open_names, read, score),
        write_toy=write_coco,
        papers=PAPERS,
        switches=SWITCHES,
        size=5000,
        threshold=threshold,
    )
    for form, task, read, score, threshold in _FORMS
]


INTERACTIVE_PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"polygons": "fill"},
    "hyperseg": {"polygons": "fill"},
}
KINDS: tuple[RegionKind, ...] = ("point", "scribble", "mask", "box")


def _interactive(kind: RegionKind, home: Path, protocol: ProtocolChoice) -> Opened:
    polygons = cast(Polygons, protocol["polygons"])
    return Opened(COCOInteractiveDataset(home, kind, polygons), RegionScorer(kind))


INTERACTIVE_BENCHMARKS = [
    Benchmark(
        name=f"coco-interactive-{kind}",
        title=f"COCO-Interactive, {kind}",
        task=Task.INTERACTIVE,
        homes=HOMES,
        open=partial(_interactive, kind),
        write_toy=write_coco,
        papers=INTERACTIVE_PAPERS,
        switches={"polygons": ("union", "fill")},
        size=4952,
    )
    for kind in KINDS
]

BENCHMARKS = [*COCO_BENCHMARKS, *INTERACTIVE_BENCHMARKS]
