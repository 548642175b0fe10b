"""REC on RefCOCO, RefCOCO+ and RefCOCOg: a box for what a sentence means.

MVP-LM (table 5) counts a box as right from an IoU of 0.5 on; MDETR asks that of the generalized
IoU, which is stricter.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.refcoco import RefCOCOName
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.benchmarks.refcoco import HOMES, SETS, TOY_WRITERS, open_refcoco
from vlseg_cli.evaluation.scorers.expressions import BoxScorer
from vlseg_cli.schema import Task

SWITCHES = {"unit": ("sentence", "ref"), "overlap": ("iou", "generalized")}
PAPERS: dict[str, ProtocolChoice] = {"mvp-lm": {"unit": "ref", "overlap": "iou"}}


def _opened(name: RefCOCOName, split: str, home: Path, protocol: ProtocolChoice) -> Opened:
    score = BoxScorer(generalized=protocol["overlap"] == "generalized")
    masks = {**protocol, "polygons": "union"}  # for the pictures of the report alone
    return Opened(open_refcoco(name, split, home, masks, Task.GROUND), score)


BENCHMARKS = [
    Benchmark(
        name=f"rec-{name}-{split}",
        title=f"{title} {split}, boxes",
        task=Task.GROUND,
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
