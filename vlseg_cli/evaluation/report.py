"""The benchmark's web page: one file that needs no network, all scores and telling pictures."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from vlseg_cli.evaluation.cases import Case, CaseKeeper
from vlseg_cli.evaluation.pictures import draw_case
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Task

# Tasks in the order of the page, with the words of their headings.
_HEADINGS: dict[Task, str] = {
    Task.REFER: "Referring expressions",
    Task.REASON: "Reasoning questions",
    Task.PANOPTIC: "Panoptic",
    Task.SEMANTIC: "Semantic",
    Task.DETECT: "Boxes",
    Task.INTERACTIVE: "Pointing",
}

Row = tuple[str, float | None, str]  # label, score in [0, 1], remark


def write_report(
    folder: OutputFolder, scores: Mapping[str, Any], cases: CaseKeeper, seeds: range
) -> None:
    """Write ``index.html`` into a folder, whole or not at all.

    scores: what ``evaluate_world`` returns, with the ``seeds`` it was asked for.
    """
    page = Template(files("vlseg_cli.evaluation").joinpath("report.html").read_text("utf-8"))
    subtitle = f"{scores['model']} · seeds {seeds.start}:{seeds.stop} · scenes: {scores['scenes']}"
    html = page.substitute(
        title="vlseg on the drawn world",
        subtitle=escape(subtitle),
        cards="\n".join(_card(name, rows) for name, rows in _tables(scores).items()),
        galleries="\n".join(_gallery(task, cases) for task in _HEADINGS if cases.best(task)),
    )
    folder.write(html.encode(), "index.html")


def _tables(scores: Mapping[str, Any]) -> dict[str, list[Row]]:
    """The rows of each card."""
    refer, reason = scores["refer"], scores["reason"]
    names = {"Panoptic": "panoptic", "Semantic": "semantic", "Boxes": "detect"}
    return {
        "Referring expressions": [
            ("cIoU", refer["cIoU"], ""),
            ("gIoU", refer["gIoU"], ""),
            ("P@0.5", refer["P50"], ""),
        ],
        "gIoU by kind of expression": [
            (kind, row["gIoU"], str(row["n"])) for kind, row in refer["by_kind"].items()
        ],
        "Reasoning questions": [
            (f"{wordings} wordings, {measure}", score, "")
            for key, wordings in (("seen", "trained"), ("heldout", "unseen"))
            for measure, score in reason[key].items()
        ],
        "All names at once": [
            (f"{task} {measure}", score, "")
            for task, key in names.items()
            for measure, score in scores[key].items()
        ],
        "Pointing, mIoU": [(kind, row["mIoU"], "") for kind, row in scores["interactive"].items()],
    }


def _card(name: str, rows: Iterable[Row]) -> str:
    body = "\n".join(_row(*row) for row in rows)
    return f'<div class="card"><h3>{escape(name)}</h3><table>\n{body}\n</table></div>'


def _row(label: str, score: float | None, remark: str) -> str:
    text = "–" if score is None else f"{score:.3f}"
    head = escape(label) + (f" <small>{escape(remark)}</small>" if remark else "")
    bar = f'<div class="track"><i style="width:{100 * (score or 0):.1f}%"></i></div>'
    return f'<tr><th scope="row">{head}</th><td>{bar}</td><td class="value">{text}</td></tr>'


def _gallery(task: Task, cases: CaseKeeper) -> str:
    parts = [f"<h2>{_HEADINGS[task]}</h2>"]
    for name, row in (("Best", cases.best(task)), ("Worst", cases.worst(task))):
        figures = "\n".join(_figure(case) for case in row)
        parts.append(f'<h3>{name}</h3><div class="cases {name.lower()}">\n{figures}\n</div>')
    return f"<section>{''.join(parts)}</section>"


def _figure(case: Case) -> str:
    caption = f"<b>{case.measure} {case.score:.3f}</b>{escape(case.words)}"
    remark = " · ".join(filter(None, (case.query.kind, case.frame.source)))
    return (
        f'<figure><img loading="lazy" src="{_data_uri(case)}" alt="{escape(case.words)}">'
        f"<figcaption>{caption}<br><small>{escape(remark)}</small></figcaption></figure>"
    )


def _data_uri(case: Case) -> str:
    buffer = io.BytesIO()
    draw_case(case).save(buffer, "WEBP", quality=82)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
