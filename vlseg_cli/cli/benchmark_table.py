"""Measured beside published numbers, in lines for a terminal or a log."""

from collections.abc import Iterator
from typing import Any

from vlseg_cli.evaluation.summary import Summary, protocol_words, setting_words

# The systems of vlseg, as the papers name their models; all others are in the report.
_SYSTEMS = ("PSALM", "HyperSeg-3B", "MVP-LM", "HRSeg", "HRSeg-LLaVA-v1", "SELF1E-2B")


def result_lines(summary: Summary) -> Iterator[str]:
    """The setting, then each benchmark: its measures, and what papers print for it."""
    yield setting_words(summary)
    for one in summary["benchmarks"]:
        yield from _lines(one)


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['title']}: {one['answers']:,} answers ({protocol_words(one)})"
    for measure, value in one["measures"].items():
        printed = [
            f"{there['model']} {there['value']:.1f} [{there['source']}]"
            for there in one["published"]
            if there["measure"] == measure and there["model"] in _SYSTEMS
        ]
        yield f"  {measure:<8} {number(value):>6}" + (
            "  · " + ", ".join(printed) if printed else ""
        )


def number(value: float | None) -> str:
    """As papers print it, with one digit."""
    return "–" if value is None else f"{value:.1f}"
