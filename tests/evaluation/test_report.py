"""The report: JSON, CSV and a page have the same numbers, whatever text a prompt holds."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from jobs.stub import RecordingProgress, StubModel

from vlseg_cli.datasets.questions import QuestionRecord, question_sample
from vlseg_cli.evaluation.benchmarks.table import find_benchmarks, write_toy_sets
from vlseg_cli.evaluation.cases import Case, CaseKeeper
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.report import (
    ReportGallery,
    write_benchmark_report,
    write_page,
    write_world_report,
)
from vlseg_cli.evaluation.run import evaluate
from vlseg_cli.evaluation.scorers.synthetic import SyntheticSceneScorer
from vlseg_cli.evaluation.summary import (
    protocol_line,
    setting,
    setting_line,
    summarize,
    write_summary,
)
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Expression, Frame, Prediction, Query, Task, segment_from_mask
from vlseg_cli.synthetic.hands import hand_named


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A folder with all reports, and the summary they are made from."""
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("out")
    wanted = find_benchmarks(["refcoco-val", "coco-semantic"])
    write_toy_sets(wanted, data, 4)
    entries = []
    for one in wanted:
        protocol = one.protocol("psalm", {})
        entries.append(PlannedBenchmark(one, protocol, one.find(data, protocol)))
    plan = EvaluationPlan(entries)
    job = Job(("eval",), "stub", [], {})
    done = evaluate(plan, job, JobSettings(OutputFolder(out), ()), StubModel, RecordingProgress())
    summary = summarize(plan, setting(None, "bfloat16", data, 7), done)
    write_summary(OutputFolder(out), summary)
    write_benchmark_report(OutputFolder(out), summary, done.cases)
    return out, dict(summary)


def test_the_setting_is_shown(written: tuple[Path, dict]) -> None:
    words = setting_line(written[1])
    assert words.startswith("embedded (psalm, 192 px, bfloat16), weights ")
    assert words.endswith("the first 7 samples alone")
    first = protocol_line(written[1]["benchmarks"][0])
    assert first == "unit=ref, polygons=fill, threshold: the task's own, 1 of 1,500 samples"


def test_json_and_csv_have_the_same_numbers(written: tuple[Path, dict]) -> None:
    out, summary = written
    assert json.loads((out / "scores.json").read_text()) == json.loads(json.dumps(summary))
    with (out / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    measured = {
        (row["benchmark"], row["measure"]): float(row["value"])
        for row in rows
        if row["source"].startswith("measured")
    }
    for one in summary["benchmarks"]:
        for measure, value in one["measures"].items():
            assert measured[one["name"], measure] == value
    (psalm,) = [
        row for row in rows if row["source"] == "PSALM, table 8" and row["model"] == "PSALM"
    ]
    assert (psalm["measure"], psalm["value"]) == ("cIoU", "83.6")


def test_the_page_has_bars_images_and_published_numbers(written: tuple[Path, dict]) -> None:
    page = (written[0] / "index.html").read_text(encoding="utf-8")
    for words in (
        "cIoU · PSALM",
        "83.6",
        "PSALM, table 8",
        "IoU by category",
        "unit=ref",
        "embedded",
    ):
        assert words in page
    assert page.count("data:image/webp;base64,") >= 4


def test_a_text_answer_is_shown_with_the_true_ones(tmp_path: Path) -> None:
    sample = question_sample(
        Frame(np.full((8, 9, 3), 128, np.uint8), "cup.jpg"),
        [QuestionRecord("What is <it>?", "1", ("a cup", "a mug", "a cup"))],
    )
    (query,) = sample.queries
    said = Prediction("cup.jpg", 0, 8, 9, query.task, query.prompt, (), "a <b>bowl</b>")
    case = Case(sample.frame, query, said, "right", 0.0)
    write_page(OutputFolder(tmp_path), "Questions", [], [], [ReportGallery("VQA", [case], [case])])
    page = (tmp_path / "index.html").read_text()
    assert page.count("a &lt;b&gt;bowl&lt;/b&gt; · true: a cup, a mug") == 2
    assert "What is &lt;it&gt;?" in page and "<it>" not in page


NASTY = 'the "<b>cup</b>" & $title'


class Page(HTMLParser):
    """The page as parsed: balanced tags, links, images, text."""

    void = frozenset({"meta", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.alts: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.sources += [named[key] or "" for key in ("src", "href") if key in named]
        self.alts += [named["alt"] or ""] if "alt" in named else []
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(tmp_path: Path) -> Page:
    mask = np.zeros((32, 32), bool)
    mask[8:16] = True
    frame = Frame(np.full((32, 32, 3), 90, np.uint8), "world:7")
    prompt = Expression(NASTY)
    query = Query(Task.REFER, prompt, mask[None], np.zeros(1, np.int64), kind="color")
    segments = (segment_from_mask(mask, 0.9, "it"),)
    prediction = Prediction("world:7", 0, 32, 32, Task.REFER, prompt, segments)
    cases = CaseKeeper()
    cases.add([Case(frame, query, prediction, "IoU", 0.4321)])
    scores = {
        **SyntheticSceneScorer(hand_named("first")).result().details,
        "scenes": 1,
        "model": "tiny <1>",
    }
    scores["refer"]["gIoU"] = 0.4321
    write_world_report(OutputFolder(tmp_path), scores, cases, range(7, 8))
    return Page((tmp_path / "index.html").read_text(encoding="utf-8"))


def test_page_is_whole_and_needs_no_network(page: Page) -> None:
    assert page.open == []
    assert len(page.sources) == 2  # the one case is the best and the worst
    assert all(source.startswith("data:image/webp;base64,") for source in page.sources)


def test_text_is_escaped(page: Page) -> None:
    assert page.alts == [NASTY, NASTY]
    assert page.text.count(NASTY) == 2
    assert "tiny <1> · seeds 7:8 · scenes: 1" in page.text


def test_scores_and_missing_scores_are_shown(page: Page) -> None:
    assert "0.432" in page.text
    assert "–" in page.text  # what was not counted has no number
    for word in ("ordinal", "unseen wordings, gIoU", "Panoptic PQ", "Boxes AP50", "scribble"):
        assert word in page.text
