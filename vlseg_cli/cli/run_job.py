"""What segment, refer, reason, track and detect share: build the job, run it, show its results.

Building checks everything that can be checked before a model is loaded or a file written.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path

import typer

from vlseg_cli import __version__
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.options import DEFAULT_OUT, JobOptions, ModelChoice
from vlseg_cli.cli.progress import open_progress
from vlseg_cli.cli.requests import JobRequest
from vlseg_cli.cli.values import AUTOMATIC, TRACKED, parse_formats
from vlseg_cli.jobs import Job, JobSettings, Summary, parse_shard, run_job, shard_of_launcher
from vlseg_cli.jobs.job import CHUNK_FRAMES, FAILURES, read_job, stored_records
from vlseg_cli.jobs.run import BuildRequests
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter, check_length
from vlseg_cli.outputs import FORMATS, OutputFolder, check_formats, record_line
from vlseg_cli.schema import Input, Record, UsageError
from vlseg_cli.weights.digest import model_digest
from vlseg_cli.weights.resolve import model_folder

BATCH_SIZE = 4  # for auto: small enough for a laptop, large enough to share the cost of a batch

_FEW = 20  # inputs whose results are shown one by one

# Options that change no result: a job is the same job with others.
_NEUTRAL = (
    *("out", "html", "cache", "device", "overwrite", "shard", "fail_fast"),
    *("as_json", "quiet", "progress"),
)


@dataclass(frozen=True, slots=True)
class BuiltJob:
    """A job, how to run it, and its inputs. texts: of the prompts."""

    job: Job
    settings: JobSettings
    inputs: Sequence[Input]
    requests_for: BuildRequests
    model: ModelChoice
    texts: Sequence[str]

    def load(self, console: Console) -> Segmenter:
        """Load the model, and report the words that it does not know.

        Raises WeightsError, and UsageError for a text that is too long for it.
        """
        model = self.model.load(console, images=not self.settings.tracking)
        for text in self.texts:
            check_length(model, text)
        find = model.tokenizer.unknown_words
        unknown = dict.fromkeys(word for text in self.texts for word in find(text))
        if unknown:
            words = ", ".join(repr(word) for word in unknown)
            console.note(f"This model does not know {words}; only the other words count.")
        return model


# What is done with a built job; returns the exit code. retry and plan have their own.
Runner = Callable[[BuiltJob, JobOptions, Console], int]


def run_job_command(context: typer.Context, request: JobRequest, options: JobOptions) -> None:
    """Build and run the job of one command. Raises typer.Exit with an exit code other than 0."""
    console = Console(options.quiet, options.progress)
    runner: Runner = context.obj or run
    code = runner(build_job(context, request, options, console), options, console)
    if code:
        raise typer.Exit(code)


def build_job(
    context: typer.Context, request: JobRequest, options: JobOptions, console: Console
) -> BuiltJob:
    """Put a job together.

    Raises UsageError for options that contradict each other, NoInputError without any input,
    WeightsError if there is no such model.
    """
    if not request.inputs:
        raise UsageError(
            "There is no input: name images, videos or folders, or give --prompts FILE."
        )
    options.model_choice.check_device()
    automatic = TRACKED if request.tracking else AUTOMATIC
    formats = parse_formats(options.save, request.has_map, automatic=automatic)
    batch_size = options.batch_size or BATCH_SIZE
    plain = {
        "threshold": options.threshold,
        **options.model_choice.options(),
        "many": request.many,
        "clip": asdict(options.clip),
        "batch_size": batch_size,
        "part": CHUNK_FRAMES,
        "save": list(formats),
    }
    digest = model_digest(model_folder(options.model))
    model = f"{options.model or 'embedded'} {digest}"
    job = Job(arguments(context), model, request.plain, plain, _version(formats))
    out = _out(options, job, console) if formats else DEFAULT_OUT
    settings = JobSettings(
        OutputFolder(out),
        formats,
        options.clip,
        batch_size,
        shard=parse_shard(options.shard) if options.shard else shard_of_launcher(),
        overwrite=options.overwrite,
        fail_fast=options.fail_fast,
        tracking=request.tracking,
    )
    inputs = list(list_inputs(request.inputs, exclude=out, nul=options.null))
    objects = sum(len(request.plain.get(one) or ()) for one in ("sentences", "regions"))
    check_formats(formats, any(one.is_video for one in inputs), objects)
    return BuiltJob(
        job, settings, inputs, request.requests_for, options.model_choice, request.texts
    )


def arguments(context: typer.Context) -> tuple[str, ...]:
    """The command line, from its parsed values, without what changes no result."""
    options: list[str] = []
    words: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name in _NEUTRAL or value is None or value == parameter.default:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            words += [str(one) for one in values]
        else:
            name = max(parameter.opts, key=len)
            options += [name if one is True else f"{name}={one}" for one in values]
    return (context.info_name or "", *options, "--", *words)


def _version(formats: Sequence[str]) -> str:
    """Of vlseg, and of what else the bytes of the results depend on."""
    if "video" not in formats:
        return __version__
    from vlseg_cli.outputs.encoder import encoder_version

    return f"{__version__} ({encoder_version()})"


def _out(options: JobOptions, job: Job, console: Console) -> Path:
    """The given folder, or else the first default one that does not hold another job."""
    if options.out or options.overwrite:
        return options.out or DEFAULT_OUT
    for number in count(1):
        path = DEFAULT_OUT if number == 1 else DEFAULT_OUT.with_name(f"{DEFAULT_OUT}-{number}")
        existing = read_job(path)
        if existing is None or existing.fingerprint == job.fingerprint:
            break
    if number > 1:
        console.note(f"{DEFAULT_OUT} holds another job; this one goes to {path}.")
    return path


def run(built: BuiltJob, options: JobOptions, console: Console) -> int:
    """Run a job to its end; returns the exit code."""
    total = len(built.inputs)
    show = partial(_show, console=console, as_json=options.as_json, total=total)
    with open_progress(console, "inputs", show) as progress:
        summary = run_job(
            built.job,
            built.settings,
            built.inputs,
            partial(built.load, console),
            built.requests_for,
            progress,
        )
    _show_earlier(built, summary, show)
    _sum_up(built, summary, console)
    return summary.exit_code


def _show(record: Record, console: Console, as_json: bool, total: int) -> None:
    if total <= _FEW and not record.is_video:
        console.show(record, in_full=total == 1)
    if as_json:
        print(record_line(record), file=sys.stdout, flush=True)


def _show_earlier(built: BuiltJob, summary: Summary, show: Callable[[Record], None]) -> None:
    """Show the results of earlier runs, too, except for retry."""
    settings = built.settings
    if summary.before and summary.finished and settings.formats and not settings.retry_failed:
        for record in stored_records(settings.folder):
            if record.input in summary.before:
                show(record)


def _sum_up(built: BuiltJob, summary: Summary, console: Console) -> None:
    out, formats = built.settings.folder.root, built.settings.formats
    if summary.before:
        console.note(f"{len(summary.before):,} of {summary.total:,} inputs were done before.")
    if summary.failed and summary.total > 1:
        listed = f"; they are listed in {out / FAILURES}" if formats else ""
        console.note(f"{len(summary.failed):,} of {summary.total:,} inputs failed{listed}.")
    if summary.left and formats:
        is_shard = built.settings.shard.count > 1 and not summary.stopped
        rest = "they belong to other shards" if is_shard else "the same command resumes with them"
        console.note(f"{summary.left:,} of {summary.total:,} inputs are left: {rest}.")
    made = [name for name in formats if any((out / file).exists() for file in FORMATS[name].files)]
    if made and summary.finished:
        console.note(f"Saved in {out}: {', '.join(made)}.")
