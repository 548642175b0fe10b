"""RefCOCO, RefCOCO+ and RefCOCOg: a mask, or a box (REC), for an expression; gRefCOCO.

PSALM's line joins all sentences of a ref into one prompt and fills polygons with OpenCV; LISA's
line takes one sentence at a time, which is harder. gRefCOCO: an expression may mean several objects
or none; every proposal that scores above 0.6 joins the mask, as in PSALM's line, and an empty mask
means no target. REC: MVP-LM (table 5) counts a box from an IoU of 0.5 on; MDETR requires that of
the generalized IoU, which is stricter.
"""

from functools import partial
from pathlib import Path
from typing import Literal, cast

from vlseg_cli.datasets.polygons import Polygons
from vlseg_cli.datasets.refcoco import REFS, RefCOCODataset, RefCOCOName, Unit
from vlseg_cli.datasets.toy.refcoco import write_refcoco
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.expressions import BoxScorer, ExpressionScorer, GeneralizedScorer
from vlseg_cli.schema import Task

HOMES = ("refer_seg", "refseg", ".")
SWITCHES = {"unit": ("sentence", "ref"), "polygons": ("union", "sum", "fill")}
PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"unit": "ref", "polygons": "fill"},
    "hyperseg": {"unit": "ref", "polygons": "fill"},
    "mvp-lm": {"unit": "ref", "polygons": "fill"},
    "hrseg": {"unit": "sentence", "polygons": "sum"},
    "self1e": {"unit": "sentence", "polygons": "sum"},
}
# Sets, their titles, and how many images each split has.
SETS: dict[RefCOCOName, tuple[str, dict[str, int]]] = {
    "refcoco": ("RefCOCO", {"val": 1500, "testA": 750, "testB": 750}),
    "refcoco+": ("RefCOCO+", {"val": 1500, "testA": 750, "testB": 750}),
    "refcocog": ("RefCOCOg", {"val": 1300, "test": 2600}),
}


def open_refcoco(
    name: RefCOCOName,
    split: str,
    home: Path,
    protocol: ProtocolChoice,
    task: Literal[Task.REFER, Task.GROUND] = Task.REFER,
) -> RefCOCODataset:
    """The data by the choices of a protocol."""
    return RefCOCODataset(
        home,
        name,
        split,
        unit=cast(Unit, protocol["unit"]),
        polygons=cast(Polygons, protocol["polygons"]),
        task=task,
    )


def _opened(name: RefCOCOName, split: str, home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(open_refcoco(name, split, home, protocol), ExpressionScorer("cIoU"))


# Write all splits of a set.
TOY_WRITERS = {name: partial(write_refcoco, name=name) for name in REFS}

REFCOCO_BENCHMARKS = [
    Benchmark(
        name=f"{name}-{split}",
        title=f"{title} {split}",
        task=Task.REFER,
        homes=HOMES,
        open=partial(_opened, name, split),
        write_toy=TOY_WRITERS[name],
        papers=PAPERS,
        switches=SWITCHES,
        size=size,
    )
    for name, (title, splits) in SETS.items()
    for split, size in splits.items()
]


GREFCOCO_PAPERS = {system: of for system, of in PAPERS.items() if system != "hrseg"}
GREFCOCO_SPLITS = {"val": 1500, "testA": 750, "testB": 750}


def _grefcoco(split: str, home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(open_refcoco("grefcoco", split, home, protocol), GeneralizedScorer())


GREFCOCO_BENCHMARKS = [
    Benchmark(
        name=f"grefcoco-{split}",
        title=f"gRefCOCO {split}",
        task=Task.REFER,
        homes=HOMES,
        open=partial(_grefcoco, split),
        write_toy=TOY_WRITERS["grefcoco"],
        papers=GREFCOCO_PAPERS,
        switches=SWITCHES,
        size=size,
        threshold=0.6,
        many=True,
    )
    for split, size in GREFCOCO_SPLITS.items()
]


REC_SWITCHES = {"unit": ("sentence", "ref"), "overlap": ("iou", "generalized")}
REC_PAPERS: dict[str, ProtocolChoice] = {"mvp-lm": {"unit": "ref", "overlap": "iou"}}


def _rec(name: RefCOCOName, split: str, home: Path, protocol: ProtocolChoice) -> Opened:
    score = BoxScorer(generalized=protocol["overlap"] == "generalized")
    masks = {**protocol, "polygons": "union"}  # for the images of the report alone
    return Opened(open_refcoco(name, split, home, masks, Task.GROUND), score)


REC_BENCHMARKS = [
    Benchmark(
        name=f"rec-{name}-{split}",
        title=f"{title} {split}, boxes",
        task=Task.GROUND,
        homes=HOMES,
        open=partial(_rec, name, split),
        write_toy=TOY_WRITERS[name],
        papers=REC_PAPERS,
        switches=REC_SWITCHES,
        size=size,
    )
    for name, (title, splits) in SETS.items()
    for split, size in splits.items()
]

BENCHMARKS = [*REFCOCO_BENCHMARKS, *GREFCOCO_BENCHMARKS, *REC_BENCHMARKS]
