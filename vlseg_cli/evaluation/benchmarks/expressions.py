"""A mask or a box for an expression or a question: RefCOCO's line, gRefCOCO, REC, ReasonSeg.

RefCOCO: PSALM's line joins all sentences of a ref into one prompt and fills polygons with OpenCV;
LISA's line takes one sentence at a time, which is harder. gRefCOCO: an expression may mean several
objects or none; every proposal that scores above 0.6 joins the mask, as in PSALM's line, and an
empty mask means no target. REC: MVP-LM (table 5) counts a box from an IoU of 0.5 on; MDETR requires
that of the generalized IoU, which is stricter. ReasonSeg's short questions are phrases, its long
ones sentences; LISA's line ignores the shapes labeled 'ignore', HyperSeg takes them for background.
LLM-Seg and HRSeg add 1e-8 to a union where the others add 1e-5.
"""

from functools import partial
from typing import Any

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always
from vlseg_cli.evaluation.scorers.expressions import BoxScorer, ExpressionScorer, GeneralizedScorer
from vlseg_cli.schema import Task

SWITCHES = {"unit": ("sentence", "ref"), "polygons": ("union", "sum", "fill")}
PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"unit": "ref", "polygons": "fill"},
    "hyperseg": {"unit": "ref", "polygons": "fill"},
    "mvp-lm": {"unit": "ref", "polygons": "fill"},
    "hrseg": {"unit": "sentence", "polygons": "sum"},
    "self1e": {"unit": "sentence", "polygons": "sum"},
}
# Sets, their titles, their splits, and how many images each has.
_UNC = {"val": 1500, "testA": 750, "testB": 750}
_ROWS = [
    (name, title, split, size)
    for name, title, splits in (
        ("refcoco", "RefCOCO", _UNC),
        ("refcoco+", "RefCOCO+", _UNC),
        ("refcocog", "RefCOCOg", {"val": 1300, "test": 2600}),
    )
    for split, size in splits.items()
]
# ReasonSeg's benchmarks with their split, the kind of question, and how many images it has.
_REASONSEG = {
    "val": ("val", None, 200),
    "test": ("test", None, 779),
    "test-short": ("test", "short", 217),
    "test-long": ("test", "long", 562),
}
_EPSILONS = {"epsilon": ("1e-5", "1e-8")}


def _boxes(_: object, protocol: ProtocolChoice) -> BoxScorer:
    return BoxScorer(generalized=protocol["overlap"] == "generalized")


def _reason(_: object, protocol: ProtocolChoice) -> ExpressionScorer:
    return ExpressionScorer("gIoU", float(protocol["epsilon"]))


def _ignore(protocol: ProtocolChoice) -> dict[str, Any]:
    return {"ignore_is_background": protocol["ignore"] == "background"}


BENCHMARKS = [
    *(
        Benchmark(
            name=f"{name}-{split}",
            title=f"{title} {split}",
            task=Task.REFER,
            dataset=name,
            splits=(split,),
            score=partial(always, partial(ExpressionScorer, "cIoU")),
            papers=PAPERS,
            switches=SWITCHES,
            size=size,
            passed=("unit", "polygons"),
        )
        for name, title, split, size in _ROWS
    ),
    *(
        Benchmark(
            name=f"grefcoco-{split}",
            title=f"gRefCOCO {split}",
            task=Task.REFER,
            dataset="grefcoco",
            splits=(split,),
            score=partial(always, GeneralizedScorer),
            papers={system: of for system, of in PAPERS.items() if system != "hrseg"},
            switches=SWITCHES,
            size=size,
            threshold=0.6,
            many=True,
            passed=("unit", "polygons"),
        )
        for split, size in _UNC.items()
    ),
    *(
        Benchmark(
            name=f"rec-{name}-{split}",
            title=f"{title} {split}, boxes",
            task=Task.GROUND,
            dataset=name,
            splits=(split,),
            score=_boxes,
            papers={"mvp-lm": {"unit": "ref", "overlap": "iou"}},
            switches={"unit": ("sentence", "ref"), "overlap": ("iou", "generalized")},
            size=size,
            options={"polygons": "union", "task": Task.GROUND},  # masks: for the report alone
            passed=("unit",),
        )
        for name, title, split, size in _ROWS
    ),
    *(
        Benchmark(
            name=f"reasonseg-{subset}",
            title=f"ReasonSeg {subset.replace('-', ', ')}",
            task=Task.REASON,
            dataset="reasonseg",
            splits=(split,),
            score=_reason,
            papers={
                "self1e": {"ignore": "left-out", "epsilon": "1e-5"},
                "hyperseg": {"ignore": "background", "epsilon": "1e-5"},
                "hrseg": {"ignore": "left-out", "epsilon": "1e-8"},
            },
            switches={"ignore": ("left-out", "background"), **_EPSILONS},
            size=size,
            options={"kind": kind},
            choose=_ignore,
        )
        for subset, (split, kind, size) in _REASONSEG.items()
    ),
    Benchmark(
        name="llmseg40k-val",
        title="LLM-Seg40K val",
        task=Task.REASON,
        dataset="llmseg40k",
        splits=("validation",),
        score=_reason,
        papers={"hrseg": {"epsilon": "1e-8"}},
        switches=_EPSILONS,
    ),
]
