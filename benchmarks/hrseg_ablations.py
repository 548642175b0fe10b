"""HRSeg's ablations (Tables 5 to 8): N, gamma, selection and threshold on held-out scenes.

    python benchmarks/hrseg_ablations.py runs/hrseg-mini/model --cache runs/cache

Nothing is trained: one model runs every variant over the same proposals. The effect of training
with another number of windows shows in a model of its own, ``as trained``: each model named gets a
table.
"""

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.evaluation.benchmarks.synthetic import benchmark_sample
from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.evaluation.truth import predicted_mask
from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.postprocessing import Rule
from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.models.proposals.base import ProposalOptions
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import PromptRequest, Query

Table = Literal["as trained", "N", "gamma", "selection", "threshold"]
TABLES: tuple[Table, ...] = get_args(Table)
SMALL = 0.004  # share of the image: smaller targets are also counted by themselves
_UNION_EPSILON = 1e-8  # as LLM-Seg and HRSeg measure

Meters = dict[str, MaskIoU]


def _meters() -> Meters:
    return {name: MaskIoU(_UNION_EPSILON) for name in ("reason", "refer", "small")}


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of a table: ``changes`` to the configuration that the model was trained with."""

    table: Table
    label: str
    changes: Mapping[str, Any]
    meters: Meters = field(default_factory=_meters)

    def add(self, query: Query, prediction: Any) -> None:
        """Count one prediction by its task, and once more if its target is small."""
        mask: NDArray[np.bool_] = predicted_mask(prediction)
        truth: NDArray[np.bool_] = query.masks.max(0)
        self.meters[query.task.value].add(mask, truth, query.ignore)
        if truth.mean() < SMALL:
            self.meters["small"].add(mask, truth, query.ignore)


def variants(config: HRSegConfig) -> list[Variant]:
    """Everything the paper varies; without windows there is neither N nor gamma to vary."""
    lines = [Variant("as trained", f"N = {config.windows}", {})]
    if config.windows:
        lines += [Variant("N", str(n), {"windows": n}) for n in (1, 2, 3, 4)]
        lines += [Variant("gamma", str(g), {"gamma": g}) for g in (0.5, 0.6, 0.7, 0.8, 0.9)]
    lines += [Variant("selection", rule, {"selection": rule}) for rule in get_args(Rule)]
    lines += [Variant("threshold", str(t), {"iop": t}) for t in (0.5, 0.6, 0.7, 0.8, 0.9)]
    return lines


def ablate(
    segmenter: HRSegSegmenter,
    seeds: range,
    size: int,
    tables: Collection[Table] = TABLES,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Variant]:
    """Run every variant of ``tables`` on all sentences with a target of the benchmark's scenes.

    size: longest side, px. progress: called with the number of scenes done.
    """
    model, trained = segmenter.model, segmenter.model.config
    lines = [line for line in variants(trained) if line.table in tables]
    try:
        for done, seed in enumerate(seeds, 1):
            sample = benchmark_sample(seed, size)
            queries = [q for q in sample.queries if q.task in segmenter.tasks and len(q.masks)]
            requests = [PromptRequest(0, query.task, query.prompt) for query in queries]
            for encoding, group in _by_encoding(lines, trained):
                model.config = encoding
                encoded = segmenter.encode([sample.frame])
                for line in group:
                    model.config = replace(trained, **line.changes)
                    predictions = segmenter.predict(encoded, requests)
                    for query, prediction in zip(queries, predictions, strict=True):
                        line.add(query, prediction)
            progress(done)
    finally:
        model.config = trained
    return lines


def _by_encoding(
    lines: list[Variant], trained: HRSegConfig
) -> Iterator[tuple[HRSegConfig, list[Variant]]]:
    """Variants with the same image features, which are so computed once for all of them."""

    def encoding(line: Variant) -> tuple[int, float]:
        changed = replace(trained, **line.changes)
        return changed.windows, changed.gamma

    for (windows, gamma), group in groupby(sorted(lines, key=encoding), encoding):
        yield replace(trained, windows=windows, gamma=gamma), list(group)


def table(lines: list[Variant]) -> list[str]:
    """Markdown: a row per variant; gIoU and cIoU in percent, and how many targets were small."""
    rows = [
        "| table | variant | reason gIoU / cIoU | refer gIoU / cIoU | small gIoU | n small |",
        "|---|---|---|---|---|---|",
    ]
    for line in lines:
        reason, refer, small = (line.meters[name].result() for name in ("reason", "refer", "small"))
        cells = [
            f"{_percent(reason.giou)} / {_percent(reason.ciou)}",
            f"{_percent(refer.giou)} / {_percent(refer.ciou)}",
            _percent(small.giou),
            str(small.n),
        ]
        rows.append(f"| {' | '.join([line.table, line.label, *cells])} |")
    return rows


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", help="folders or names of trained HRSeg models")
    parser.add_argument("--seeds", default="900000:900100", help="A:B, from A up to but not B")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="only these")
    parser.add_argument("--size", type=int, default=320, help="longest side of a scene, px")
    parser.add_argument("--proposals", help="source of the proposals, if not the model's own")
    parser.add_argument("--cache", type=Path, help="folder that keeps proposals and features")
    arguments = parser.parse_args()
    seeds = parse_seeds(arguments.seeds)
    for name in arguments.models:
        segmenter = load_model(name, None, ProposalOptions(arguments.proposals, arguments.cache))
        if not isinstance(segmenter, HRSegSegmenter):
            sys.exit(f"{name} is no HRSeg: there is nothing to vary")
        lines = ablate(
            segmenter,
            seeds,
            arguments.size,
            arguments.tables,
            lambda n: print(f"{n}/{len(seeds)}", file=sys.stderr),
        )
        print(f"\n{name}, seeds {arguments.seeds}, {arguments.size} px\n", *table(lines), sep="\n")


if __name__ == "__main__":
    main()
