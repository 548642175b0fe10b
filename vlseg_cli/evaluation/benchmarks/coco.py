"""COCO val2017: panoptic, instance, semantic (133 names), and COCO-Interactive's region prompts.

PSALM and HyperSeg use the names of COCO's file ('wall-other-merged'), MVP-LM drops the endings.
PSALM scores COCO-Interactive against masks that went through its network's input size; ours keep
their own size.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from vlseg_cli.evaluation.benchmarks.base import (
    Benchmark,
    always,
    by_categories,
    chosen,
    chosen_names,
)
from vlseg_cli.evaluation.scorers.base import Scorer
from vlseg_cli.evaluation.scorers.categories import InstanceScorer, PanopticScorer, SemanticScorer
from vlseg_cli.evaluation.scorers.expressions import RegionScorer
from vlseg_cli.schema import Categories, Task
from vlseg_cli.schema.prompt import RegionKind

_FORMS: tuple[
    tuple[str, Task, str, Callable[[Categories], Scorer[Any]], float | None, Mapping[str, Any]], ...
] = (
    ("panoptic", Task.PANOPTIC, "coco-panoptic", PanopticScorer, None, {}),
    ("instance", Task.INSTANCE, "coco-instances", InstanceScorer, 0.0, {}),  # AP ranks everything
    ("semantic", Task.SEMANTIC, "coco-panoptic", SemanticScorer, None, {"task": Task.SEMANTIC}),
)
_KINDS: tuple[RegionKind, ...] = ("point", "scribble", "mask", "box")

BENCHMARKS = [
    *(
        Benchmark(
            name=f"coco-{form}",
            title=f"COCO val2017, {form}",
            task=task,
            dataset=dataset,
            splits=("val",),
            score=by_categories(scorer),
            papers={
                "psalm": {"names": "plain"},
                "hyperseg": {"names": "plain"},
                "mvp-lm": {"names": "clean"},
            },
            switches={"names": ("plain", "clean")},
            size=5000,
            threshold=threshold,
            options=options,
            choose=chosen_names,
        )
        for form, task, dataset, scorer, threshold, options in _FORMS
    ),
    *(
        Benchmark(
            name=f"coco-interactive-{kind}",
            title=f"COCO-Interactive, {kind}",
            task=Task.INTERACTIVE,
            dataset="coco-interactive",
            splits=("val",),
            score=always(partial(RegionScorer, kind)),
            papers={"psalm": {"polygons": "fill"}, "hyperseg": {"polygons": "fill"}},
            switches={"polygons": ("union", "fill")},
            size=4952,
            options={"kind": kind},
            choose=chosen("polygons"),
        )
        for kind in _KINDS
    ),
]
