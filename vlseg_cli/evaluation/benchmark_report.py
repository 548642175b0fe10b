"""The page of an evaluation: measured beside published numbers, categories, best and worst."""

from collections.abc import Iterator, Mapping
from typing import Any

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.page import Card, Gallery, Row, write_page
from vlseg_cli.evaluation.summary import Summary, protocol_words, setting_words
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Task


def write_benchmark_report(
    folder: OutputFolder, summary: Summary, cases: Mapping[str, CaseKeeper]
) -> None:
    """Write ``index.html``. cases: by benchmark. Raises OutputError."""
    remarks = [setting_words(summary), f"data: {summary['setting']['data']}"]
    remarks += [f"{one['title']}: {protocol_words(one)}" for one in summary["benchmarks"]]
    remarks.append("Numbers are percent (MME: points), as the papers print them.")
    galleries = (
        Gallery(one["title"], *_cases(cases[one["name"]], Task(one["task"])))
        for one in summary["benchmarks"]
    )
    write_page(folder, "vlseg eval", remarks, _cards(summary), galleries)


def _cases(keeper: CaseKeeper, task: Task) -> tuple[list[Any], list[Any]]:
    return keeper.best(task), keeper.worst(task)


def _cards(summary: Summary) -> Iterator[Card]:
    model = summary["setting"]["model"]
    for one in summary["benchmarks"]:
        rows = []
        for measure, value in one["measures"].items():
            rows.append(_row(f"{measure} · {model}", value, "measured"))
            rows += [
                _row(f"{measure} · {there['model']}", there["value"], there["source"])
                for there in one["published"]
                if there["measure"] == measure
            ]
        yield Card(f"{one['title']}, {one['answers']:,} answers", rows)
        for heading, group in one["groups"].items():
            bars = [_row(label, value) for label, value in group.items()]
            yield Card(f"{one['title']}: {heading}", bars)


def _row(label: str, value: float | None, remark: str = "") -> Row:
    return Row(
        label,
        None if value is None else value / 100,
        "–" if value is None else f"{value:.1f}",
        remark,
    )
