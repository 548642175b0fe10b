"""LLM-Seg40K: questions of HRSeg's line, a mask each. The papers add 1e-8 to every union."""

from pathlib import Path

from vlseg_cli.datasets.llmseg40k import LLMSeg40KDataset
from vlseg_cli.datasets.toy.reasonseg import write_llmseg40k
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.expressions import ExpressionScorer
from vlseg_cli.schema import Task

HOMES = ("LLMSeg40K", "llmseg40k", ".")


def _opened(home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(
        LLMSeg40KDataset(home, "validation"), ExpressionScorer("gIoU", float(protocol["epsilon"]))
    )


def _write(folder: Path, seeds: range) -> None:
    write_llmseg40k(folder / HOMES[0], "validation", seeds)


BENCHMARKS = [
    Benchmark(
        name="llmseg40k-val",
        title="LLM-Seg40K val",
        task=Task.REASON,
        homes=HOMES,
        open=_opened,
        write_toy=_write,
        papers={"hrseg": {"epsilon": "1e-8"}},
        switches={"epsilon": ("1e-5", "1e-8")},
        size=None,
    )
]
