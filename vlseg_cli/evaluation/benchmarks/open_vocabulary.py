"""Sets whose names are in no training set: ADE20K, Cityscapes, Pascal Context, Pascal VOC.

PSALM prompts with strings of synonyms, MVP-LM with each class's own name.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.datasets.ade20k import ade20k_instances, ade20k_panoptic, ade20k_semantic
from vlseg_cli.datasets.cityscapes import cityscapes_instances, cityscapes_panoptic
from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.pascal import pascal_context, pascal_voc
from vlseg_cli.datasets.toy.open_vocabulary import (
    write_ade20k,
    write_cityscapes,
    write_pascal_context,
    write_pascal_voc,
)
from vlseg_cli.evaluation.benchmarks.base import Benchmark, NamedDataset, ProtocolChoice, open_names
from vlseg_cli.evaluation.scorers.base import Scorer
from vlseg_cli.evaluation.scorers.categories import (
    CityscapesScorer,
    InstanceScorer,
    PanopticScorer,
    SemanticScorer,
)
from vlseg_cli.schema import Categories, Task

SWITCHES = {"names": ("plain", "synonyms")}
PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"names": "synonyms"},
    "hyperseg": {"names": "synonyms"},
    "mvp-lm": {"names": "plain"},
}


class _Set(NamedTuple):
    """The folders of a set, how many images it has, what writes a toy version of it."""

    homes: tuple[str, ...]
    size: int
    write: Callable[[Path, range], None]


_ADE20K = _Set(("ADEChallengeData2016", "ade20k", "."), 2000, write_ade20k)
_CITYSCAPES = _Set(("cityscapes", "."), 500, write_cityscapes)
_CONTEXT = _Set(("pascal_ctx_d2", "."), 5105, write_pascal_context)
_VOC = _Set(("VOCdevkit/VOC2012", "VOC2012", "."), 1449, write_pascal_voc)


_SCORERS: dict[Task, Callable[[Categories], Scorer[Any]]] = {
    Task.PANOPTIC: PanopticScorer,
    Task.SEMANTIC: SemanticScorer,
    Task.INSTANCE: InstanceScorer,
}
_CONTEXT_59, _CONTEXT_459 = (partial(pascal_context, classes=count) for count in (59, 459))
_ROWS: tuple[tuple[str, str, Task, _Set, Callable[..., NamedDataset]], ...] = (
    ("ade20k-panoptic", "ADE20K val, panoptic", Task.PANOPTIC, _ADE20K, ade20k_panoptic),
    ("ade20k-semantic", "ADE20K val, semantic", Task.SEMANTIC, _ADE20K, ade20k_semantic),
    ("ade20k-instance", "ADE20K val, instance", Task.INSTANCE, _ADE20K, ade20k_instances),
    (
        "cityscapes-panoptic",
        "Cityscapes val, panoptic",
        Task.PANOPTIC,
        _CITYSCAPES,
        cityscapes_panoptic,
    ),
    (
        "cityscapes-instance",
        "Cityscapes val, instance",
        Task.INSTANCE,
        _CITYSCAPES,
        cityscapes_instances,
    ),
    ("pascal-context-59", "Pascal Context, 59 classes", Task.SEMANTIC, _CONTEXT, _CONTEXT_59),
    ("pascal-context-459", "Pascal Context, 459 classes", Task.SEMANTIC, _CONTEXT, _CONTEXT_459),
    ("pascal-voc-20", "Pascal VOC 2012 val, 20 classes", Task.SEMANTIC, _VOC, pascal_voc),
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
        homes=data.homes,
        open=partial(open_names, partial(read, split="val"), _scorer(name, task)),
        write_toy=data.write,
        papers=PAPERS,
        switches=SWITCHES,
        size=data.size,
        threshold=0.0 if task is Task.INSTANCE else None,  # AP ranks everything
    )
    for name, title, task, data, read in _ROWS
]
