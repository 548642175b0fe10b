"""Evaluation is a job over samples: its journal makes it resumable, its answers are what is scored.

What was answered is never answered again; scores are always made from answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vlseg_cli.evaluation.cases import CaseKeeper
from vlseg_cli.evaluation.plan import EvaluationPlan
from vlseg_cli.evaluation.prefetch import SampleSource
from vlseg_cli.evaluation.scorers.base import Result
from vlseg_cli.evaluation.scoring import Scoring
from vlseg_cli.evaluation.unsupported import UnsupportedTaskAdapter
from vlseg_cli.jobs import Job, JobProgress, JobSettings, Summary, run_job
from vlseg_cli.jobs.layout import stored_records
from vlseg_cli.models.base import Segmenter


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out. results, cases: by benchmark, None as long as samples are left to answer."""

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
    """Answer all that is not answered yet, then score everything.

    settings: with ``keep_records`` the folder is resumed; without, nothing is kept. Raises what
    ``run_job`` raises.
    """

    def load_willing() -> UnsupportedTaskAdapter:
        return UnsupportedTaskAdapter(load(), progress.note)

    samples = SampleSource(plan, ahead=settings.batch_size)
    out = settings.folder.root if settings.keep_records else None
    scoring = Scoring(plan, samples, out)
    settings = replace(
        settings,
        open_source=lambda: samples,
        watchers=(scoring,),
        through_time=any(entry.benchmark.is_video for entry in plan.entries),
        pictures_too=True,
    )
    summary = run_job(job, settings, plan.inputs(), load_willing, samples.ask, progress)
    if not summary.finished or summary.stopped:
        return Evaluation(summary, None, scoring.cases)
    if settings.keep_records:
        scoring.catch_up(stored_records(settings.folder), summary.failed)
    return Evaluation(summary, scoring.results(), scoring.cases)
