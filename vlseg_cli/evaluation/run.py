"""The evaluation engine: a job over samples, whose records are what is scored.

The journal makes it resumable: what has a prediction is not predicted again. Scores are made as
records are written, in the writer's thread, or later from the record store; both give the same
numbers bit for bit, so a run that was killed, or one in shards, gives those of an undisturbed one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.plan import EvaluationPlan, Portions, columns, rows
from vlseg_cli.evaluation.prefetch import SampleSource
from vlseg_cli.evaluation.scorers.base import Result, Submission
from vlseg_cli.evaluation.truth import prediction_of
from vlseg_cli.evaluation.unsupported import UnsupportedTaskAdapter
from vlseg_cli.jobs import Job, JobProgress, JobSettings, Summary, run_job
from vlseg_cli.jobs.job import stored_records
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder, Sink
from vlseg_cli.schema import Frame, Item, Record


class Scoring(Sink):
    """Scores the records of a job, and writes nothing."""

    def __init__(
        self, plan: EvaluationPlan, samples: SampleSource, out: Path | None = None
    ) -> None:
        """out: folder for submissions, None for none."""
        self._plan, self._samples = plan, samples
        self._submissions = {} if out is None else _open_submissions(plan, out)
        self._records: dict[str, list[Record]] = {}  # of items in progress
        self._scored: set[str] = set()
        self.cases = {entry.benchmark.name: CaseKeeper() for entry in plan.entries}

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:  # noqa: ARG002
        """Gather an item's records, from its first part on."""
        if part == 0 or item.source in self._records:
            self._records.setdefault(item.source, []).extend(records)

    def end_item(self, item: Item, parts: int) -> None:  # noqa: ARG002
        """Score an item, unless an earlier run did its beginning or a frame has failed."""
        if item.source not in self._records:
            return
        portions, records = self._samples.take(item.source), self._records.pop(item.source)
        if len(records) == rows(portions) * columns(portions):
            self._score(portions, records)
            self._scored.add(item.source)

    def remove_chunks(self, item: Item) -> None:
        """A failed item is not scored."""
        self._samples.drop(item.source)
        self._records.pop(item.source, None)

    def abandon(self) -> None:
        """Items in progress will be predicted again."""
        self._records.clear()

    def catch_up(self, records: Iterable[Record], failed: Mapping[str, object]) -> None:
        """Score the records of other runs and processes. Raises InputError if a sample is gone."""
        for source, own in groupby(records, key=lambda record: record.input):
            if source not in self._scored and source not in failed:
                self._score(self._plan.read(source), list(own))

    def results(self) -> dict[str, Result]:
        """The numbers of each benchmark; closes the submissions, which are complete."""
        for submission in self._submissions.values():
            submission.close()
        return {one.benchmark.name: one.opened.scorer.result() for one in self._plan.entries}

    def _score(self, portions: Portions, records: Sequence[Record]) -> None:
        """Give each benchmark its columns of the records: a row per frame, a column per query."""
        first = 0
        for entry, sample in portions:
            prompts = [query.prompt for query in sample.queries]
            own = [
                prediction_of(records[row + first + column], prompt)
                for row in range(0, len(records), columns(portions))
                for column, prompt in enumerate(prompts)
            ]
            first += len(prompts)
            name = entry.benchmark.name
            self.cases[name].add(entry.opened.scorer.add(sample, own))
            if name in self._submissions:
                self._submissions[name].add(sample, own)


def _open_submissions(plan: EvaluationPlan, out: Path) -> dict[str, Submission[Any]]:
    """Of the benchmarks that are scored on a server, in a folder each."""
    makers = ((one.benchmark.name, one.benchmark.submission) for one in plan.entries)
    return {
        name: make(OutputFolder(out / "submissions" / name))
        for name, make in makers
        if make is not None
    }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome. results, cases: by benchmark, None as long as samples are left."""

    summary: Summary
    results: Mapping[str, Result] | None
    cases: Mapping[str, CaseKeeper]


def evaluate(
    plan: EvaluationPlan,
    job: Job,
    settings: JobSettings,
    load: Callable[[], Segmenter],
    progress: JobProgress,
) -> Evaluation:
    """Predict what has no prediction yet, then score everything.

    settings: with ``keep_records`` the folder is resumed; without, nothing is kept. Raises what
    ``run_job`` raises.
    """

    def load_adapted() -> UnsupportedTaskAdapter:
        return UnsupportedTaskAdapter(load(), progress.note)

    samples = SampleSource(plan, ahead=settings.batch_size)
    out = settings.folder.root if settings.keep_records else None
    scoring = Scoring(plan, samples, out)
    settings = replace(
        settings,
        open_source=lambda: samples,
        sinks=(scoring,),
        tracking=any(entry.benchmark.is_video for entry in plan.entries),
        images_too=True,
    )
    summary = run_job(job, settings, plan.inputs(), load_adapted, samples.requests, progress)
    if not summary.finished or summary.stopped:
        return Evaluation(summary, None, scoring.cases)
    if settings.keep_records:
        scoring.catch_up(stored_records(settings.folder), summary.failed)
    return Evaluation(summary, scoring.results(), scoring.cases)
