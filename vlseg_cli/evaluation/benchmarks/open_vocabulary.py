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
from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, Reader, open_names
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


def _line(
    name: str,
    title: str,
    task: Task,
    data: _Set,
    read: Reader,
    score: Callable[[Categories], Scorer[Any]],
) -> Benchmark:
    return Benchmark(
        name=name,
        title=title,
        task=task,
        homes=data.homes,
        open=partial(open_names, read, score),
        write_toy=data.write,
        papers=PAPERS,
        switches=SWITCHES,
        size=data.size,
        threshold=0.0 if task is Task.INSTANCE else None,  # AP ranks everything
    )


_cityscapes_score = partial(CityscapesScorer, labels=class_table("cityscapes").ids)

BENCHMARKS = [
    _line(
        "ade20k-panoptic",
        "ADE20K val, panoptic",
        Task.PANOPTIC,
        _ADE20K,
        partial(ade20k_panoptic, split="val"),
        PanopticScorer,
    ),
    _line(
        "ade20k-semantic",
        "ADE20K val, semantic",
        Task.SEMANTIC,
        _ADE20K,
        partial(ade20k_semantic, split="val"),
        SemanticScorer,
    ),
    _line(
        "ade20k-instance",
        "ADE20K val, instance",
        Task.INSTANCE,
        _ADE20K,
        partial(ade20k_instances, split="val"),
        InstanceScorer,
    ),
    _line(
        "cityscapes-panoptic",
        "Cityscapes val, panoptic",
        Task.PANOPTIC,
        _CITYSCAPES,
        partial(cityscapes_panoptic, split="val"),
        PanopticScorer,
    ),
    _line(
        "cityscapes-instance",
        "Cityscapes val, instance",
        Task.INSTANCE,
        _CITYSCAPES,
        partial(cityscapes_instances, split="val"),
        _cityscapes_score,
    ),
    _line(
        "pascal-context-59",
        "Pascal Context, 59 classes",
        Task.SEMANTIC,
        _CONTEXT,
        partial(pascal_context, split="val", classes=59),
        SemanticScorer,
    ),
    _line(
        "pascal-context-459",
        "Pascal Context, 459 classes",
        Task.SEMANTIC,
        _CONTEXT,
        partial(pascal_context, split="val", classes=459),
        SemanticScorer,
    ),
    _line(
        "pascal-voc-20",
        "Pascal VOC 2012 val, 20 classes",
        Task.SEMANTIC,
        _VOC,
        partial(pascal_voc, split="val"),
        SemanticScorer,
    ),
]
