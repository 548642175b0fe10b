"""Submissions of text answers: VQA's list of answers, MMBench's table of letters.

Only what is sent is kept until the end: a short answer for each question.
"""

import json
from collections.abc import Sequence

from vlseg_cli.evaluation.metrics.multiple_choice import letter_or_text
from vlseg_cli.evaluation.metrics.vqa import m4c_words
from vlseg_cli.evaluation.scorers.text_answers import lettered
from vlseg_cli.evaluation.submissions.archive import check_xlsx, write_xlsx
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Prediction, Question, Sample

_CHOICES = "ABCD"


class VQAAnswers:
    """``answers.json`` for EvalAI, its words rewritten as LLaVA's and HyperSeg's uploads are."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._answers: dict[int, str] = {}

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, prediction in zip(sample.queries, predictions, strict=True):
            self._answers[int(query.key)] = m4c_words(prediction.text)

    def close(self) -> None:
        """See ``Submission``."""
        answers = [
            {"question_id": key, "answer": text} for key, text in sorted(self._answers.items())
        ]
        self._folder.write(json.dumps(answers).encode(), "answers.json")


class MMBenchLetters:
    """``answers.xlsx``: every row of the table with the predicted letter."""

    def __init__(self, folder: OutputFolder) -> None:
        """Raises UsageError without XlsxWriter."""
        check_xlsx()
        self._folder = folder
        self._rows: dict[int, list[str | int]] = {}

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, prediction in zip(sample.queries, predictions, strict=True):
            assert isinstance(query.prompt, Question)
            choices = lettered(query)
            letter = letter_or_text(prediction.text, choices)
            texts = [choices.get(one, "") for one in _CHOICES]
            self._rows[int(query.key)] = [int(query.key), query.prompt.text, *texts, letter]

    def close(self) -> None:
        """See ``Submission``."""
        rows = [row for _, row in sorted(self._rows.items())]
        names = ["index", "question", *_CHOICES, "prediction"]
        write_xlsx(self._folder, [names, *rows], "answers.xlsx")
