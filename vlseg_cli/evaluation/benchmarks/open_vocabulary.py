"""Sets whose names no training has seen: ADE20K, Cityscapes, Pascal Context, Pascal VOC.

PSALM asks by strings of synonyms, MVP-LM by each class's own name.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.datasets.ade20k import ade20k_instances, ade20k_panoptic, ade20k_semantic
from vlseg_cli.datasets.cityscapes import cityscapes_instances, cityscapes_panoptic
from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.pascal import pascal_context, pascal_voc
from vlseg_cli.datasets.specimens.ade20k import write_ade20k
from vlseg_cli.datasets.specimens.cityscapes import write_cityscapes
from vlseg_cli.datasets.specimens.pascal import write_pascal_context, write_pascal_voc
from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark, Protocol
from vlseg_cli.evaluation.benchmarks.names import Reader, open_names
from vlseg_cli.evaluation.scores.instances import CityscapesScore, InstanceScore
from vlseg_cli.evaluation.scores.panoptic import PanopticScore
from vlseg_cli.evaluation.scores.score import Score
from vlseg_cli.evaluation.scores.semantic import SemanticScore
from vlseg_cli.schema import Categories, Task

SWITCHES = {"names": ("plain", "synonyms")}
PAPERS: dict[str, Protocol] = {
    "psalm": {"names": "synonyms"},
    "hyperseg": {"names": "synonyms"},
    "mvp-lm": {"names": "plain"},
}


class _Set(NamedTuple):
    """Where a set lies, how many pictures it has, how a specimen of it is drawn."""

    homes: tuple[str, ...]
    size: int
    write: Callable[[Path, range], None]

    def specimen(self, folder: Path, seeds: range) -> None:
        """Draw one in the first of its homes."""
        self.write(folder / self.homes[0], seeds)


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
    score: Callable[[Categories], Score[Any]],
) -> Benchmark:
    return Benchmark(
        name=name,
        title=title,
        task=task,
        homes=data.homes,
        open=partial(open_names, read, score),
        specimen=data.specimen,
        papers=PAPERS,
        switches=SWITCHES,
        size=data.size,
        threshold=0.0 if task is Task.INSTANCE else None,  # AP ranks everything
    )


_cityscapes_score = partial(CityscapesScore, labels=class_table("cityscapes").ids)

BENCHMARKS = [
    _line(
        "ade20k-panoptic",
        "ADE20K val, panoptic",
        Task.PANOPTIC,
        _ADE20K,
        partial(ade20k_panoptic, split="val"),
        PanopticScore,
    ),
    _line(
        "ade20k-semantic",
        "ADE20K val, semantic",
        Task.SEMANTIC,
        _ADE20K,
        partial(ade20k_semantic, split="val"),
        SemanticScore,
    ),
    _line(
        "ade20k-instance",
        "ADE20K val, instance",
        Task.INSTANCE,
        _ADE20K,
        partial(ade20k_instances, split="val"),
        InstanceScore,
    ),
    _line(
        "cityscapes-panoptic",
        "Cityscapes val, panoptic",
        Task.PANOPTIC,
        _CITYSCAPES,
        partial(cityscapes_panoptic, split="val"),
        PanopticScore,
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
        SemanticScore,
    ),
    _line(
        "pascal-context-459",
        "Pascal Context, 459 classes",
        Task.SEMANTIC,
        _CONTEXT,
        partial(pascal_context, split="val", classes=459),
        SemanticScore,
    ),
    _line(
        "pascal-voc-20",
        "Pascal VOC 2012 val, 20 classes",
        Task.SEMANTIC,
        _VOC,
        partial(pascal_voc, split="val"),
        SemanticScore,
    ),
]
