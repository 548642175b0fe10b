"""Answers to scores: as they are made, in the writer's thread, or later from the record store.

Both ways give the same numbers, bit for bit, so a run that was killed, or one in shares, ends with
the scores of one that was not.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.plan import EvaluationPlan, Portions, columns, rows
from vlseg_cli.evaluation.prefetch import SampleSource
from vlseg_cli.evaluation.scorers.base import Result, Submission
from vlseg_cli.evaluation.truth import prediction_of
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Frame, Item, Record


class Scoring:
    """Scores what a job answers: a sink of it (see ``outputs.sink.Sink``) that writes nothing."""

    def __init__(
        self, plan: EvaluationPlan, samples: SampleSource, out: Path | None = None
    ) -> None:
        """out: folder for submissions, None for none."""
        self._plan, self._samples = plan, samples
        self._submissions = {} if out is None else _open_submissions(plan, out)
        self._records: dict[str, list[Record]] = {}  # of items under way
        self._scored: set[str] = set()
        self.cases = {entry.benchmark.name: CaseKeeper() for entry in plan.entries}

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:  # noqa: ARG002
        """Gather an item's records, from its first part on."""
        if part == 0 or item.source in self._records:
            self._records.setdefault(item.source, []).extend(records)

    def end_part(self, item: Item, part: int) -> None:
        """There is nothing to keep."""

    def end_item(self, item: Item, parts: int) -> None:  # noqa: ARG002
        """Score an item, unless an earlier run answered its beginning or a frame has failed."""
        if item.source not in self._records:
            return
        portions, records = self._samples.take(item.source), self._records.pop(item.source)
        if len(records) == rows(portions) * columns(portions):
            self._score(portions, records)
            self._scored.add(item.source)

    def forget_parts(self, item: Item) -> None:
        """A failed item is not scored."""
        self._samples.drop(item.source)
        self._records.pop(item.source, None)

    def abandon(self) -> None:
        """What is under way will be answered again."""
        self._records.clear()

    def catch_up(self, records: Iterable[Record], failed: Mapping[str, object]) -> None:
        """Score what other runs and processes answered. Raises InputError if a sample is gone."""
        for source, own in groupby(records, key=lambda record: record.input):
            if source not in self._scored and source not in failed:
                self._score(self._plan.read(source), list(own))

    def results(self) -> dict[str, Result]:
        """The numbers of each benchmark; closes the submissions, as all answers are there."""
        for submission in self._submissions.values():
            submission.close()
        return {one.benchmark.name: one.opened.score.result() for one in self._plan.entries}

    def _score(self, portions: Portions, records: Sequence[Record]) -> None:
        """Give each benchmark its columns of the records: a row per frame, a column per query."""
        first = 0
        for entry, sample in portions:
            prompts = [query.prompt for query in sample.queries]
            own = [
                prediction_of(records[row + first + place], prompt)
                for row in range(0, len(records), columns(portions))
                for place, prompt in enumerate(prompts)
            ]
            first += len(prompts)
            name = entry.benchmark.name
            self.cases[name].add(entry.opened.score.add(sample, own))
            if name in self._submissions:
                self._submissions[name].add(sample, own)


def _open_submissions(plan: EvaluationPlan, out: Path) -> dict[str, Submission[Any]]:
    """Of the benchmarks that are scored elsewhere, in a folder each."""
    makers = ((one.benchmark.name, one.benchmark.submission) for one in plan.entries)
    return {
        name: make(OutputFolder(out / "submissions" / name))
        for name, make in makers
        if make is not None
    }
