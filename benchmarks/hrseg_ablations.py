"""HRSeg's ablations of N, gamma, selection and threshold on held-out drawn scenes, in one go.

    python benchmarks/hrseg_ablations.py runs/hrseg-mini/model --cache runs/cache

Several models, as one trained with another N, get a table each.
"""

import argparse
import sys
from pathlib import Path

from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.evaluation.hrseg_ablations import TABLES, ablate, table
from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.models.proposals.base import ProposalOptions
from vlseg_cli.models.registry import load_model


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="folders or names of trained HRSegs")
    parser.add_argument("--seeds", default="900000:900100", help="A:B, from A up to but not B")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="which alone")
    parser.add_argument("--size", type=int, default=320, help="longest side of a scene, px")
    parser.add_argument("--proposals", help="who proposes, if not whom the model says")
    parser.add_argument("--cache", type=Path, help="folder that keeps proposals and features")
    arguments = parser.parse_args()
    seeds = parse_seeds(arguments.seeds)
    for name in arguments.models:
        options = ProposalOptions(arguments.proposals, arguments.cache)
        segmenter = load_model(name, proposals=options)
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
