"""A report's web page: one file that needs no network, with scores as bars and example images."""

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple

from vlseg_cli.evaluation.cases import Case, CaseKeeper, draw_case
from vlseg_cli.evaluation.summary import Summary, protocol_line, setting_line
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Task
from vlseg_cli.synthetic.scene import EXPORTED_KINDS


class ReportRow(NamedTuple):
    """A bar: what it is about, its number or None, a remark."""

    label: str
    value: float | None
    remark: str = ""


class ReportCard(NamedTuple):
    """Bars of one topic: fractions, or percent."""

    heading: str
    rows: Sequence[ReportRow]
    percent: bool = False


class ReportGallery(NamedTuple):
    """The best and the worst cases of one kind."""

    heading: str
    best: Sequence[Case]
    worst: Sequence[Case]


def write_page(
    folder: OutputFolder,
    title: str,
    remarks: Sequence[str],
    cards: Iterable[ReportCard],
    galleries: Iterable[ReportGallery],
) -> None:
    """Write ``index.html``, whole or not at all; remarks: lines below the title.

    Galleries without a case are left out. Raises OutputError if it cannot be written.
    """
    page = Template(files("vlseg_cli.evaluation").joinpath("page.html").read_text("utf-8"))
    html = page.substitute(
        title=escape(title),
        remarks="\n".join(f"<p>{escape(remark)}</p>" for remark in remarks),
        cards="\n".join(map(_card, cards)),
        galleries="\n".join(_gallery(one) for one in galleries if one.best),
    )
    folder.write(html.encode(), "index.html")


def _card(card: ReportCard) -> str:
    body = "\n".join(_row(row, card.percent) for row in card.rows)
    return f'<div class="card"><h3>{escape(card.heading)}</h3><table>\n{body}\n</table></div>'


def _row(row: ReportRow, percent: bool) -> str:
    head = escape(row.label) + (f" <small>{escape(row.remark)}</small>" if row.remark else "")
    share = (row.value or 0) / (100 if percent else 1)
    width = 100 * min(1.0, max(0.0, share))
    shown = "–" if row.value is None else f"{row.value:.{1 if percent else 3}f}"
    bar = f'<div class="track"><i style="width:{width:.1f}%"></i></div>'
    number = f'<td class="value">{shown}</td>'
    return f'<tr><th scope="row">{head}</th><td>{bar}</td>{number}</tr>'


def _gallery(gallery: ReportGallery) -> str:
    parts = [f"<h2>{escape(gallery.heading)}</h2>"]
    for name, row in (("Best", gallery.best), ("Worst", gallery.worst)):
        figures = "\n".join(map(_figure, row))
        parts.append(f'<h3>{name}</h3><div class="cases {name.lower()}">\n{figures}\n</div>')
    return f"<section>{''.join(parts)}</section>"


def _figure(case: Case) -> str:
    caption = f"<b>{case.measure} {case.score:.3f}</b>{escape(case.text)}"
    if case.query.answers:  # text answers
        truths = ", ".join(dict.fromkeys(case.query.answers))
        caption += f"<br>{escape(case.prediction.text or '(no text)')} · true: {escape(truths)}"
    remark = " · ".join(filter(None, (case.query.kind, case.frame.source)))
    return (
        f'<figure><img loading="lazy" src="{_data_uri(case)}" alt="{escape(case.text)}">'
        f"<figcaption>{caption}<br><small>{escape(remark)}</small></figcaption></figure>"
    )


def _data_uri(case: Case) -> str:
    buffer = io.BytesIO()
    draw_case(case).save(buffer, "WEBP", quality=82)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def write_benchmark_report(
    folder: OutputFolder, summary: Summary, cases: Mapping[str, CaseKeeper]
) -> None:
    """Write ``index.html``. cases: by benchmark. Raises OutputError."""
    remarks = [setting_line(summary), f"data: {summary['setting']['data']}"]
    remarks += [f"{one['title']}: {protocol_line(one)}" for one in summary["benchmarks"]]
    remarks.append("Numbers are percent (MME: points), as the papers print them.")
    galleries = (
        _gallery_of(one["title"], cases[one["name"]], Task(one["task"]))
        for one in summary["benchmarks"]
    )
    write_page(folder, "vlseg eval", remarks, _cards(summary), galleries)


def _gallery_of(heading: str, cases: CaseKeeper, task: Task) -> ReportGallery:
    return ReportGallery(heading, cases.best(task), cases.worst(task))


def _cards(summary: Summary) -> Iterator[ReportCard]:
    model = summary["setting"]["model"]
    for one in summary["benchmarks"]:
        rows = []
        for measure, value in one["measures"].items():
            rows.append(ReportRow(f"{measure} · {model}", value, "measured"))
            rows += [
                ReportRow(f"{measure} · {there['model']}", there["value"], there["source"])
                for there in one["published"]
                if there["measure"] == measure
            ]
        yield ReportCard(f"{one['title']}, {one['answers']:,} answers", rows, percent=True)
        for heading, group in one["groups"].items():
            bars = [ReportRow(label, value) for label, value in group.items()]
            yield ReportCard(f"{one['title']}: {heading}", bars, percent=True)


# Tasks in the order of the page, with their headings.
_HEADINGS: dict[Task, str] = {
    Task.REFER: "Referring expressions",
    Task.REASON: "Reasoning questions",
    Task.PANOPTIC: "Panoptic",
    Task.SEMANTIC: "Semantic",
    Task.DETECT: "Boxes",
    Task.INTERACTIVE: "Region prompts",
}
_REMARK = "Scores are fractions from 0 to 1; higher is better."


def write_world_report(
    folder: OutputFolder, scores: Mapping[str, Any], cases: CaseKeeper, seeds: range
) -> None:
    """Write ``index.html`` of synthetic scenes. scores: of ``--json``. Raises OutputError."""
    about = f"{scores['model']} · seeds {seeds.start}:{seeds.stop} · scenes: {scores['scenes']}"
    galleries = (_gallery_of(heading, cases, task) for task, heading in _HEADINGS.items())
    write_page(
        folder, "vlseg on synthetic scenes", (about, _REMARK), _world_cards(scores), galleries
    )


def _world_cards(scores: Mapping[str, Any]) -> list[ReportCard]:
    refer, reason = scores["refer"], scores["reason"]
    names = {"Panoptic": "panoptic", "Semantic": "semantic", "Boxes": "detect"}
    measures = {"cIoU": "cIoU", "gIoU": "gIoU", "P@0.5": "P50"}
    cards = {
        "Referring expressions": [ReportRow(name, refer[key]) for name, key in measures.items()],
        "gIoU by kind of expression": [
            ReportRow(kind, row["gIoU"], str(row["n"]))
            for kind, row in refer["by_kind"].items()
            if kind not in EXPORTED_KINDS.values()
        ],
        "Reasoning questions": [
            ReportRow(f"{wordings} wordings, {measure}", score)
            for key, wordings in (("seen", "trained"), ("heldout", "unseen"))
            for measure, score in reason[key].items()
        ],
        "All names at once": [
            ReportRow(f"{task} {measure}", score)
            for task, key in names.items()
            for measure, score in scores[key].items()
        ],
        "Region prompts, mIoU": [
            ReportRow(kind, row["mIoU"]) for kind, row in scores["interactive"].items()
        ],
    }
    return [ReportCard(heading, rows) for heading, rows in cards.items()]
