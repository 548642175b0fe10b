"""Prompts of category names, and COCO-Interactive's region prompts.

COCO val2017 (133 names): PSALM and HyperSeg use the names of COCO's file ('wall-other-merged'),
MVP-LM drops the endings. ADE20K, Cityscapes, Pascal Context and Pascal VOC, whose names are in no
training set: PSALM prompts with strings of synonyms, MVP-LM with each class's own name. PSALM
scores COCO-Interactive against masks that went through its network's input size; ours keep their
own size.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always
from vlseg_cli.evaluation.scorers.base import Scorer
from vlseg_cli.evaluation.scorers.categories import (
    CityscapesScorer,
    InstanceScorer,
    PanopticScorer,
    SemanticScorer,
)
from vlseg_cli.evaluation.scorers.expressions import RegionScorer
from vlseg_cli.schema import Categories, Task
from vlseg_cli.schema.prompt import RegionKind

_SCORERS: dict[Task, Callable[[Categories], Scorer[Any]]] = {
    Task.PANOPTIC: PanopticScorer,
    Task.SEMANTIC: SemanticScorer,
    Task.INSTANCE: InstanceScorer,
}
_KINDS: tuple[RegionKind, ...] = ("point", "scribble", "mask", "box")
# Name, title, task, data set, images.
_COCO = (
    ("coco-panoptic", "COCO val2017, panoptic", Task.PANOPTIC, "coco-panoptic", 5000),
    ("coco-instance", "COCO val2017, instance", Task.INSTANCE, "coco-instances", 5000),
    ("coco-semantic", "COCO val2017, semantic", Task.SEMANTIC, "coco-panoptic", 5000),
)
_OPEN_VOCABULARY = (
    ("ade20k-panoptic", "ADE20K val, panoptic", Task.PANOPTIC, "ade20k-panoptic", 2000),
    ("ade20k-semantic", "ADE20K val, semantic", Task.SEMANTIC, "ade20k-semantic", 2000),
    ("ade20k-instance", "ADE20K val, instance", Task.INSTANCE, "ade20k-instances", 2000),
    ("cityscapes-panoptic", "Cityscapes val, panoptic", Task.PANOPTIC, "cityscapes-panoptic", 500),
    ("cityscapes-instance", "Cityscapes val, instance", Task.INSTANCE, "cityscapes-instances", 500),
    ("pascal-context-59", "Pascal Context, 59 classes", Task.SEMANTIC, "pascal-context-59", 5105),
    (
        "pascal-context-459",
        "Pascal Context, 459 classes",
        Task.SEMANTIC,
        "pascal-context-459",
        5105,
    ),
    ("pascal-voc-20", "Pascal VOC 2012 val, 20 classes", Task.SEMANTIC, "pascal-voc", 1449),
)


def _score(name: str, task: Task, dataset: Any, _: ProtocolChoice) -> Scorer[Any]:
    if name == "cityscapes-instance":  # whose AP has its own rules
        return CityscapesScorer(dataset.categories, class_table("cityscapes").ids)
    return _SCORERS[task](dataset.categories)


def _naming(protocol: ProtocolChoice) -> dict[str, str]:
    return {"naming": protocol["names"]}


def _named(
    rows: tuple[tuple[str, str, Task, str, int], ...], of: dict[str, str]
) -> list[Benchmark]:
    """Benchmarks of category names. of: the names that each paper prompts with."""
    return [
        Benchmark(
            name=name,
            title=title,
            task=task,
            dataset=dataset,
            splits=("val",),
            score=partial(_score, name, task),
            papers={system: {"names": names} for system, names in of.items()},
            switches={"names": tuple(dict.fromkeys(["plain", *of.values()]))},
            size=size,
            threshold=0.0 if task is Task.INSTANCE else None,  # AP ranks everything
            options={"task": task} if name == "coco-semantic" else {},
            choose=_naming,
        )
        for name, title, task, dataset, size in rows
    ]


BENCHMARKS = [
    *_named(_COCO, {"psalm": "plain", "hyperseg": "plain", "mvp-lm": "clean"}),
    *(
        Benchmark(
            name=f"coco-interactive-{kind}",
            title=f"COCO-Interactive, {kind}",
            task=Task.INTERACTIVE,
            dataset="coco-interactive",
            splits=("val",),
            score=partial(always, RegionScorer),
            papers={"psalm": {"polygons": "fill"}, "hyperseg": {"polygons": "fill"}},
            switches={"polygons": ("union", "fill")},
            size=4952,
            options={"kind": kind},
            passed=("polygons",),
        )
        for kind in _KINDS
    ),
    *_named(_OPEN_VOCABULARY, {"psalm": "synonyms", "hyperseg": "synonyms", "mvp-lm": "plain"}),
]
