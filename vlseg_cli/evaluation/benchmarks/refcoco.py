"""RefCOCO, RefCOCO+ and RefCOCOg: a mask, or a box (REC), for an expression; gRefCOCO.

PSALM's line joins all sentences of a ref into one prompt and fills polygons with OpenCV; LISA's
line takes one sentence at a time, which is harder. gRefCOCO: an expression may mean several objects
or none; every proposal that scores above 0.6 joins the mask, as in PSALM's line, and an empty mask
means no target. REC: MVP-LM (table 5) counts a box from an IoU of 0.5 on; MDETR requires that of
the generalized IoU, which is stricter.
"""

from functools import partial

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always, chosen
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


def _boxes(_: object, protocol: ProtocolChoice) -> BoxScorer:
    return BoxScorer(generalized=protocol["overlap"] == "generalized")


BENCHMARKS = [
    *(
        Benchmark(
            name=f"{name}-{split}",
            title=f"{title} {split}",
            task=Task.REFER,
            dataset=name,
            splits=(split,),
            score=always(partial(ExpressionScorer, "cIoU")),
            papers=PAPERS,
            switches=SWITCHES,
            size=size,
            choose=chosen("unit", "polygons"),
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
            score=always(GeneralizedScorer),
            papers={system: of for system, of in PAPERS.items() if system != "hrseg"},
            switches=SWITCHES,
            size=size,
            threshold=0.6,
            many=True,
            choose=chosen("unit", "polygons"),
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
            choose=chosen("unit"),
        )
        for name, title, split, size in _ROWS
    ),
]
