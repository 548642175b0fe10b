"""ReasonSeg and LLM-Seg40K: a mask for what answers a question.

ReasonSeg's short questions are phrases, its long ones sentences. LISA's line ignores the shapes
labeled 'ignore'; HyperSeg takes them for background. LLM-Seg and HRSeg add 1e-8 to a union where
the others add 1e-5.
"""

from typing import Any

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice
from vlseg_cli.evaluation.scorers.expressions import ExpressionScorer
from vlseg_cli.schema import Task

# Benchmarks with their split, the kind of question, and how many images it has.
SUBSETS = {
    "val": ("val", None, 200),
    "test": ("test", None, 779),
    "test-short": ("test", "short", 217),
    "test-long": ("test", "long", 562),
}
_EPSILONS = {"epsilon": ("1e-5", "1e-8")}


def _score(_: object, protocol: ProtocolChoice) -> ExpressionScorer:
    return ExpressionScorer("gIoU", float(protocol["epsilon"]))


def _ignore(protocol: ProtocolChoice) -> dict[str, Any]:
    return {"ignore_is_background": protocol["ignore"] == "background"}


BENCHMARKS = [
    *(
        Benchmark(
            name=f"reasonseg-{subset}",
            title=f"ReasonSeg {subset.replace('-', ', ')}",
            task=Task.REASON,
            dataset="reasonseg",
            splits=(split,),
            score=_score,
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
        for subset, (split, kind, size) in SUBSETS.items()
    ),
    Benchmark(
        name="llmseg40k-val",
        title="LLM-Seg40K val",
        task=Task.REASON,
        dataset="llmseg40k",
        splits=("validation",),
        score=_score,
        papers={"hrseg": {"epsilon": "1e-8"}},
        switches=_EPSILONS,
        size=None,
    ),
]
