"""The page of the drawn world's scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.report import ReportCard, ReportGallery, ReportRow, write_page
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Task
from vlseg_cli.synthetic.scene import EXPORTED_KINDS

# Tasks in the order of the page, with the words of their headings.
_HEADINGS: dict[Task, str] = {
    Task.REFER: "Referring expressions",
    Task.REASON: "Reasoning questions",
    Task.PANOPTIC: "Panoptic",
    Task.SEMANTIC: "Semantic",
    Task.DETECT: "Boxes",
    Task.INTERACTIVE: "Pointing",
}
_REMARK = "Scores are fractions from 0 to 1; higher is better."


def write_report(
    folder: OutputFolder, scores: Mapping[str, Any], cases: CaseKeeper, seeds: range
) -> None:
    """Write ``index.html`` into a folder, whole or not at all.

    scores: what ``evaluate_world`` returns, with the ``seeds`` it was asked for.
    """
    about = f"{scores['model']} · seeds {seeds.start}:{seeds.stop} · scenes: {scores['scenes']}"
    galleries = (
        ReportGallery(heading, cases.best(task), cases.worst(task))
        for task, heading in _HEADINGS.items()
    )
    write_page(folder, "vlseg on the drawn world", (about, _REMARK), _cards(scores), galleries)


def _cards(scores: Mapping[str, Any]) -> Iterator[ReportCard]:
    refer, reason = scores["refer"], scores["reason"]
    names = {"Panoptic": "panoptic", "Semantic": "semantic", "Boxes": "detect"}
    yield ReportCard(
        "Referring expressions",
        [
            _row("cIoU", refer["cIoU"]),
            _row("gIoU", refer["gIoU"]),
            _row("P@0.5", refer["P50"]),
        ],
    )
    yield ReportCard(
        "gIoU by kind of expression",
        [
            _row(kind, row["gIoU"], str(row["n"]))
            for kind, row in refer["by_kind"].items()
            if kind not in EXPORTED_KINDS.values()
        ],
    )
    yield ReportCard(
        "Reasoning questions",
        [
            _row(f"{wordings} wordings, {measure}", score)
            for key, wordings in (("seen", "trained"), ("heldout", "unseen"))
            for measure, score in reason[key].items()
        ],
    )
    yield ReportCard(
        "All names at once",
        [
            _row(f"{task} {measure}", score)
            for task, key in names.items()
            for measure, score in scores[key].items()
        ],
    )
    interactive = scores["interactive"].items()
    yield ReportCard("Pointing, mIoU", [_row(kind, row["mIoU"]) for kind, row in interactive])


def _row(label: str, score: float | None, remark: str = "") -> ReportRow:
    return ReportRow(label, score, "–" if score is None else f"{score:.3f}", remark)
