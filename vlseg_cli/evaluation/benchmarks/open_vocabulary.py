"""Sets whose names are in no training set: ADE20K, Cityscapes, Pascal Context, Pascal VOC.

PSALM prompts with strings of synonyms, MVP-LM with each class's own name.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.evaluation.benchmarks.base import Benchmark, by_categories, chosen_names
from vlseg_cli.evaluation.scorers.base import Scorer
from vlseg_cli.evaluation.scorers.categories import (
    CityscapesScorer,
    InstanceScorer,
    PanopticScorer,
    SemanticScorer,
)
from vlseg_cli.schema import Categories, Task

_SCORERS: dict[Task, Callable[[Categories], Scorer[Any]]] = {
    Task.PANOPTIC: PanopticScorer,
    Task.SEMANTIC: SemanticScorer,
    Task.INSTANCE: InstanceScorer,
}
# Name, title, task, data set, images.
_ROWS = (
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


def _scorer(name: str, task: Task) -> Callable[[Categories], Scorer[Any]]:
    if name == "cityscapes-instance":  # whose AP has its own rules
        return partial(CityscapesScorer, labels=class_table("cityscapes").ids)
    return _SCORERS[task]


BENCHMARKS = [
    Benchmark(
        name=name,
        title=title,
        task=task,
        dataset=dataset,
        splits=("val",),
        score=by_categories(_scorer(name, task)),
        papers={
            "psalm": {"names": "synonyms"},
            "hyperseg": {"names": "synonyms"},
            "mvp-lm": {"names": "plain"},
        },
        switches={"names": ("plain", "synonyms")},
        size=size,
        threshold=0.0 if task is Task.INSTANCE else None,  # AP ranks everything
        choose=chosen_names,
    )
    for name, title, task, dataset, size in _ROWS
]
