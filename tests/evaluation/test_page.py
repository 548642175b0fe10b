"""The page of a report: what was said stands beside what is true, and no text becomes markup."""

from pathlib import Path

import numpy as np

from vlseg_cli.datasets.questions import Asked, asked_sample
from vlseg_cli.evaluation.cases import Case
from vlseg_cli.evaluation.page import Gallery, write_page
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Frame, Prediction


def test_an_answer_in_words_is_shown_with_the_true_ones(tmp_path: Path) -> None:
    sample = asked_sample(
        Frame(np.full((8, 9, 3), 128, np.uint8), "cup.jpg"),
        [Asked("What is <it>?", "1", ("a cup", "a mug", "a cup"))],
    )
    (query,) = sample.queries
    said = Prediction("cup.jpg", 0, 8, 9, query.task, query.prompt, (), "a <b>bowl</b>")
    case = Case(sample.frame, query, said, "right", 0.0)
    write_page(OutputFolder(tmp_path), "Questions", [], [], [Gallery("VQA", [case], [case])])
    page = (tmp_path / "index.html").read_text()
    assert page.count("a &lt;b&gt;bowl&lt;/b&gt; · true: a cup, a mug") == 2
    assert "What is &lt;it&gt;?" in page and "<it>" not in page
