"""An evaluation from its command line to its report: open the data, run, show, write."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.cli.benchmark_list import result_lines
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import ModelChoice
from vlseg_cli.cli.progress import open_progress
from vlseg_cli.cli.run_job import BATCH_SIZE
from vlseg_cli.evaluation.benchmarks.base import Benchmark
from vlseg_cli.evaluation.benchmarks.table import (
    BENCHMARKS,
    find_benchmarks,
    switches_of,
    write_toy_sets,
)
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.report import write_benchmark_report
from vlseg_cli.evaluation.run import Evaluation, evaluate
from vlseg_cli.evaluation.summary import Summary, setting, summarize, write_summary
from vlseg_cli.jobs import Job, JobSettings, parse_shard, shard_of_launcher
from vlseg_cli.jobs.job import CHUNK_FRAMES, FAILURES
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import FrameRange, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What every evaluation has on its command line, as given; arguments: itself, to be kept."""

    model: ModelChoice
    limit: int | None
    batch_size: int | None
    shard: str | None
    overwrite: bool
    out: Path | None
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRequest(EvaluationRequest):
    """The benchmarks of ``vlseg eval``."""

    names: tuple[str, ...]
    data: Path | None
    toy: bool
    protocol: str | None
    changes: tuple[str, ...]


def evaluate_benchmarks(asked: BenchmarkRequest, as_json: bool, quiet: bool, style: str) -> int:
    """Carry out one command; returns the exit code. Raises UsageError, NoInputError, …."""
    console = Console(quiet, style)
    benchmarks = find_benchmarks(asked.names)
    with _data(asked, benchmarks, console) as data:
        about = setting(asked.model.name, asked.model.dtype, data, asked.limit)
        plan = EvaluationPlan(_entries(asked, benchmarks, data, about.system), asked.limit)
        protocols = {one.benchmark.name: dict(one.protocol) for one in plan.entries}
        question = {"benchmarks": protocols, "data": about.data, "limit": about.limit}
        batch_size = asked.batch_size or BATCH_SIZE
        job = evaluation_job(asked, f"{about.model} {about.weights}", question, batch_size)
        settings = job_settings(asked, batch_size)
        with open_progress(console, "samples") as progress:
            done = evaluate(plan, job, settings, lambda: asked.model.load(console), progress)
        note_failures(done, asked, console)
        if done.results is not None:
            _report(summarize(plan, about, done), done, plan, asked, console, as_json)
    return done.summary.exit_code


@contextmanager
def _data(
    asked: BenchmarkRequest, benchmarks: Sequence[Benchmark], console: Console
) -> Iterator[Path]:
    """The folder of the data; toy data is in the output folder, or in a temporary one."""
    if asked.data is not None and not asked.toy:
        yield asked.data
        return
    if asked.data is not None or not asked.toy:
        raise UsageError("Say where the data lies with --data DIR, or try --toy instead.")
    with tempfile.TemporaryDirectory(prefix="vlseg-") as temporary:
        root = Path(temporary) if asked.out is None else asked.out / "specimen"
        write_toy_sets(benchmarks, root)
        console.note("Data: a toy set of synthetic scenes; its scores do not compare to papers.")
        yield root


def _entries(
    asked: BenchmarkRequest, benchmarks: Sequence[Benchmark], data: Path, system: str
) -> list[PlannedBenchmark]:
    changes, entries = _changes(asked.changes, benchmarks), []
    systems = {name: None for one in BENCHMARKS.values() for name in one.papers}
    if asked.protocol is not None and asked.protocol not in systems:
        raise UsageError(f"--protocol {asked.protocol}: choose among {', '.join(systems)}.")
    for benchmark in benchmarks:
        protocol = benchmark.protocol(asked.protocol or system, changes)
        entries.append(PlannedBenchmark(benchmark, protocol, benchmark.find(data, protocol)))
    return entries


def _changes(words: Sequence[str], benchmarks: Sequence[Benchmark]) -> dict[str, str]:
    """'unit=sentence' as a change. Raises UsageError for a switch that no benchmark has."""
    known = switches_of(benchmarks)
    changes = {}
    for word in words:
        switch, equals, choice = word.partition("=")
        if not equals or switch not in known:
            listed = "; ".join(f"{name}={'|'.join(of)}" for name, of in known.items())
            raise UsageError(f"--set {word}: these benchmarks have {listed or 'no switch'}.")
        changes[switch] = choice
    return changes


def evaluation_job(asked: EvaluationRequest, model: str, question: Any, batch_size: int) -> Job:
    """The job of an evaluation. model: name and digest; question: what is evaluated."""
    options = {
        "clip": asdict(FrameRange()),
        "batch_size": batch_size,
        "part": CHUNK_FRAMES,
        "save": [],
        **asked.model.options(),
    }
    return Job(asked.arguments, model, question, options)


def job_settings(
    asked: EvaluationRequest, batch_size: int, exact_scores: bool = False
) -> JobSettings:
    """How it runs. Raises UsageError for a shard without a folder."""
    shard = parse_shard(asked.shard) if asked.shard else shard_of_launcher()
    if asked.out is None and shard.count > 1:
        raise UsageError("--shard needs --out DIR: shares meet in a folder.")
    return JobSettings(
        OutputFolder(asked.out or Path()),
        (),
        batch_size=batch_size,
        shard=shard,
        overwrite=asked.overwrite,
        retry_failed=True,  # damaged data may have been repaired
        keep_records=asked.out is not None,
        exact_scores=exact_scores,
    )


def note_failures(done: Evaluation, asked: EvaluationRequest, console: Console) -> None:
    """Which samples have no score, and whether others are left to do."""
    if done.summary.failed:
        listed = f"; they are listed in {asked.out / FAILURES}" if asked.out else ""
        console.note(f"{len(done.summary.failed):,} samples could not be scored{listed}.")
    if done.results is None:
        left = f"{done.summary.left:,} of {done.summary.total:,} samples are left"
        console.note(f"{left}: the scores come when the last share, or the same command, ends.")


def _report(
    summary: Summary,
    done: Evaluation,
    plan: EvaluationPlan,
    asked: BenchmarkRequest,
    console: Console,
    as_json: bool,
) -> None:
    for line in result_lines(summary):
        console.note(line)
    if asked.out is not None:
        folder = OutputFolder(asked.out)
        write_summary(folder, summary)
        write_benchmark_report(folder, summary, done.cases)
        console.note(f"Saved in {asked.out}: index.html, scores.json, scores.csv.")
        for one in (entry.benchmark for entry in plan.entries):
            if one.submission is not None:
                sent = asked.out / "submissions" / one.name
                console.note(f"{one.title} is scored at {one.server}: send {sent} there.")
    if as_json:
        print(json.dumps(summary))
