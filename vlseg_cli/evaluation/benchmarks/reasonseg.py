"""ReasonSeg and LLM-Seg40K: a mask for what answers a question.

ReasonSeg's short questions are phrases, its long ones sentences. LISA's line ignores the shapes
labeled 'ignore'; HyperSeg takes them for background. LLM-Seg and HRSeg add 1e-8 to a union where
the others add 1e-5.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.llmseg40k import LLMSeg40KDataset
from vlseg_cli.datasets.reasonseg import ReasonSegDataset
from vlseg_cli.datasets.toy.reasonseg import write_llmseg40k, write_reasonseg
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.expressions import ExpressionScorer
from vlseg_cli.schema import Task

HOMES = ("reason_seg", ".")
SWITCHES = {"ignore": ("left-out", "background"), "epsilon": ("1e-5", "1e-8")}
PAPERS: dict[str, ProtocolChoice] = {
    "self1e": {"ignore": "left-out", "epsilon": "1e-5"},
    "hyperseg": {"ignore": "background", "epsilon": "1e-5"},
    "hrseg": {"ignore": "left-out", "epsilon": "1e-8"},
}
# Benchmarks with their split, the kind of question, and how many images it has.
SUBSETS = {
    "val": ("val", None, 200),
    "test": ("test", None, 779),
    "test-short": ("test", "short", 217),
    "test-long": ("test", "long", 562),
}


def _opened(split: str, kind: str | None, home: Path, protocol: ProtocolChoice) -> Opened:
    ignored = protocol["ignore"] == "background"
    dataset = ReasonSegDataset(home, split, kind=kind, ignore_is_background=ignored)
    return Opened(dataset, ExpressionScorer("gIoU", float(protocol["epsilon"])))


TOY_WRITERS = {split: partial(write_reasonseg, split=split) for split in ("val", "test")}

REASONSEG_BENCHMARKS = [
    Benchmark(
        name=f"reasonseg-{subset}",
        title=f"ReasonSeg {subset.replace('-', ', ')}",
        task=Task.REASON,
        homes=HOMES,
        open=partial(_opened, split, kind),
        write_toy=TOY_WRITERS[split],
        papers=PAPERS,
        switches=SWITCHES,
        size=size,
    )
    for subset, (split, kind, size) in SUBSETS.items()
]


LLMSEG40K_HOMES = ("LLMSeg40K", "llmseg40k", ".")


def _llmseg40k(home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(
        LLMSeg40KDataset(home, "validation"), ExpressionScorer("gIoU", float(protocol["epsilon"]))
    )


LLMSEG40K_BENCHMARKS = [
    Benchmark(
        name="llmseg40k-val",
        title="LLM-Seg40K val",
        task=Task.REASON,
        homes=LLMSEG40K_HOMES,
        open=_llmseg40k,
        write_toy=partial(write_llmseg40k, split="validation"),
        papers={"hrseg": {"epsilon": "1e-8"}},
        switches={"epsilon": ("1e-5", "1e-8")},
        size=None,
    )
]

BENCHMARKS = [*REASONSEG_BENCHMARKS, *LLMSEG40K_BENCHMARKS]
