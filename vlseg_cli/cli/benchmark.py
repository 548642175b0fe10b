"""An evaluation from its command line to its report: open the data, run, print, write."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.cli.benchmark_list import result_lines
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.options import ModelChoice
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
from vlseg_cli.outputs.atomic import remove_partial_files
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


def evaluate_benchmarks(request: BenchmarkRequest, as_json: bool, quiet: bool, style: str) -> int:
    """Carry out one command; returns the exit code. Raises UsageError, NoInputError, …."""
    console = Console(quiet, style)
    benchmarks = find_benchmarks(request.names)
    if request.out is not None:
        for name in ("toy", "submissions"):  # the job sweeps the others
            remove_partial_files(request.out / name)
    with _data(request, benchmarks, console) as data:
        about = setting(request.model.name, request.model.dtype, data, request.limit)
        plan = EvaluationPlan(_entries(request, benchmarks, data, about.system), request.limit)
        protocols = {one.benchmark.name: dict(one.protocol) for one in plan.entries}
        question = {"benchmarks": protocols, "data": about.data, "limit": about.limit}
        batch_size = request.batch_size or BATCH_SIZE
        job = evaluation_job(request, f"{about.model} {about.weights}", question, batch_size)
        settings = job_settings(request, batch_size)
        with open_progress(console, "samples") as progress:
            done = evaluate(plan, job, settings, lambda: request.model.load(console), progress)
        note_failures(done, request, console)
        if done.results is not None:
            _report(summarize(plan, about, done), done, plan, request, console, as_json)
    return done.summary.exit_code


@contextmanager
def _data(
    request: BenchmarkRequest, benchmarks: Sequence[Benchmark], console: Console
) -> Iterator[Path]:
    """The folder of the data; toy data is in the output folder, or in a temporary one."""
    if request.data is not None and not request.toy:
        yield request.data
        return
    if request.data is not None or not request.toy:
        raise UsageError("Name the data with --data DIR, or try --toy instead.")
    with tempfile.TemporaryDirectory(prefix="vlseg-") as temporary:
        root = Path(temporary) if request.out is None else request.out / "toy"
        write_toy_sets(benchmarks, root)
        console.note("Data: a toy set of synthetic scenes; its scores do not compare to papers.")
        yield root


def _entries(
    request: BenchmarkRequest, benchmarks: Sequence[Benchmark], data: Path, system: str
) -> list[PlannedBenchmark]:
    changes, entries = _changes(request.changes, benchmarks), []
    systems = {name: None for one in BENCHMARKS.values() for name in one.papers}
    if request.protocol is not None and request.protocol not in systems:
        raise UsageError(f"--protocol {request.protocol}: choose among {', '.join(systems)}.")
    for benchmark in benchmarks:
        protocol = benchmark.protocol(request.protocol or system, changes)
        entries.append(PlannedBenchmark(benchmark, protocol, benchmark.find(data, protocol)))
    return entries


def _changes(texts: Sequence[str], benchmarks: Sequence[Benchmark]) -> dict[str, str]:
    """'unit=sentence' as a change. Raises UsageError for a switch that no benchmark has."""
    known = switches_of(benchmarks)
    changes = {}
    for text in texts:
        switch, equals, choice = text.partition("=")
        if not equals or switch not in known:
            listed = "; ".join(f"{name}={'|'.join(of)}" for name, of in known.items())
            raise UsageError(f"--set {text}: these benchmarks have {listed or 'no switch'}.")
        changes[switch] = choice
    return changes


def evaluation_job(request: EvaluationRequest, model: str, question: Any, batch_size: int) -> Job:
    """The job of an evaluation. model: name and digest; question: what is evaluated."""
    options = {
        "clip": asdict(FrameRange()),
        "batch_size": batch_size,
        "part": CHUNK_FRAMES,
        "save": [],
        **request.model.options(),
    }
    return Job(request.arguments, model, question, options)


def job_settings(
    request: EvaluationRequest, batch_size: int, exact_scores: bool = False
) -> JobSettings:
    """How it runs. Raises UsageError for a shard without a folder."""
    shard = parse_shard(request.shard) if request.shard else shard_of_launcher()
    if request.out is None and shard.count > 1:
        raise UsageError("--shard needs --out DIR: shards share a folder.")
    return JobSettings(
        OutputFolder(request.out or Path()),
        (),
        batch_size=batch_size,
        shard=shard,
        overwrite=request.overwrite,
        retry_failed=True,  # damaged data may have been repaired
        keep_records=request.out is not None,
        exact_scores=exact_scores,
    )


def note_failures(done: Evaluation, request: EvaluationRequest, console: Console) -> None:
    """Which samples have no score, and whether others are left to do."""
    if done.summary.failed:
        listed = f"; they are listed in {request.out / FAILURES}" if request.out else ""
        console.note(f"{len(done.summary.failed):,} samples could not be scored{listed}.")
    if done.results is None:
        left = f"{done.summary.left:,} of {done.summary.total:,} samples are left"
        console.note(f"{left}: the scores follow when the last shard, or the same command, ends.")


def _report(
    summary: Summary,
    done: Evaluation,
    plan: EvaluationPlan,
    request: BenchmarkRequest,
    console: Console,
    as_json: bool,
) -> None:
    for line in result_lines(summary):
        console.note(line)
    if request.out is not None:
        folder = OutputFolder(request.out)
        write_summary(folder, summary)
        write_benchmark_report(folder, summary, done.cases)
        console.note(f"Saved in {request.out}: index.html, scores.json, scores.csv.")
        for one in (entry.benchmark for entry in plan.entries):
            if one.submission is not None:
                folder_sent = request.out / "submissions" / one.name
                console.note(f"{one.title} is scored at {one.server}: send {folder_sent} there.")
    if as_json:
        print(json.dumps(summary))
