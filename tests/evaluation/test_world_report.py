"""The benchmark's page: complete, self-contained, and safe whatever a prompt says."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.evaluation.cases import Case, CaseKeeper
from vlseg_cli.evaluation.report import write_world_report
from vlseg_cli.evaluation.scorers.synthetic import SyntheticSceneScorer
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Expression, Frame, Prediction, Query, Task, segment_from_mask

NASTY = 'the "<b>cup</b>" & $title'


class Page(HTMLParser):
    """What a browser would see: tags in balance, links outward, pictures, text."""

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
    scores = {**SyntheticSceneScorer().result().details, "scenes": 1, "model": "tiny <1>"}
    scores["refer"]["gIoU"] = 0.4321
    write_world_report(OutputFolder(tmp_path), scores, cases, range(7, 8))
    return Page((tmp_path / "index.html").read_text(encoding="utf-8"))


def test_page_is_whole_and_needs_no_network(page: Page) -> None:
    assert page.open == []
    assert len(page.sources) == 2  # the one case is the best and the worst
    assert all(source.startswith("data:image/webp;base64,") for source in page.sources)


def test_words_arrive_as_words(page: Page) -> None:
    assert page.alts == [NASTY, NASTY]
    assert page.text.count(NASTY) == 2
    assert "tiny <1> · seeds 7:8 · scenes: 1" in page.text


def test_scores_and_gaps_are_shown(page: Page) -> None:
    assert "0.432" in page.text
    assert "–" in page.text  # what was not asked has no number
    for word in ("ordinal", "unseen wordings, gIoU", "Panoptic PQ", "Boxes AP50", "scribble"):
        assert word in page.text
