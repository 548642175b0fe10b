"""From what is asked and the options to a job that could begin; nothing is loaded or written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import typer

from vlseg_cli import __version__
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import JobOptions, ModelChoice
from vlseg_cli.cli.options import DEFAULT_OUT
from vlseg_cli.cli.requests import JobRequest
from vlseg_cli.cli.values import AUTOMATIC, TRACKED, parse_formats
from vlseg_cli.jobs import Job, JobSettings, parse_shard, shard_of_launcher
from vlseg_cli.jobs.job import CHUNK_FRAMES, read_job
from vlseg_cli.jobs.run import AskAbout
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder, check_formats
from vlseg_cli.schema import Input, UsageError
from vlseg_cli.weights.resolve import model_digest, model_folder

BATCH_SIZE = 4  # for auto: small enough for a laptop, large enough to share the cost of a batch

# Options that change no result: a job is the same job with others.
_NEUTRAL = frozenset(
    (
        "out",
        "html",
        "overwrite",
        "shard",
        "quiet",
        "as_json",
        "progress",
        "fail_fast",
        "device",
        "cache",
    )
)


@dataclass(frozen=True, slots=True)
class BuiltJob:
    """A job, how to run it, and on what. words: what is asked, by the text."""

    job: Job
    settings: JobSettings
    found: Sequence[Input]
    ask: AskAbout
    model: ModelChoice
    words: Sequence[str]

    def load(self, console: Console) -> Segmenter:
        """Load the model, and say which words it does not know. Raises WeightsError."""
        model = self.model.load(console)
        unknown = dict.fromkeys(word for text in self.words for word in model.unknown_words(text))
        if unknown:
            words = ", ".join(repr(word) for word in unknown)
            console.note(f"This model does not know {words}; it answers from the other words.")
        return model


def build_job(
    context: typer.Context, asked: JobRequest, choices: JobOptions, console: Console
) -> BuiltJob:
    """Put a job together.

    Raises UsageError for choices that contradict each other, NoInputError where there is nothing
    to do, WeightsError if there is no such model.
    """
    if not asked.inputs:
        raise UsageError(
            "There is no input: name images, videos or folders, or give --prompts FILE."
        )
    automatic = TRACKED if asked.through_time else AUTOMATIC
    formats = parse_formats(choices.save, asked.has_map, automatic=automatic)
    batch_size = choices.batch_size or BATCH_SIZE
    options = {
        "threshold": choices.threshold,
        **choices.model_choice.options(),
        "many": asked.many,
        "clip": asdict(choices.clip),
        "batch_size": batch_size,
        "part": CHUNK_FRAMES,
        "save": list(formats),
    }
    digest = model_digest(model_folder(choices.model))
    model = f"{choices.model or 'embedded'} {digest}"
    job = Job(arguments(context), model, asked.plain, options, _version(formats))
    out = _out(choices, job, console) if formats else DEFAULT_OUT
    settings = JobSettings(
        OutputFolder(out),
        formats,
        choices.clip,
        batch_size,
        shard=parse_shard(choices.shard) if choices.shard else shard_of_launcher(),
        overwrite=choices.overwrite,
        fail_fast=choices.fail_fast,
        through_time=asked.through_time,
    )
    found = list(list_inputs(asked.inputs, exclude=out, nul=choices.null))
    check_formats(formats, videos=any(one.is_video for one in found))
    return BuiltJob(job, settings, found, asked.ask, choices.model_choice, asked.words)


def arguments(context: typer.Context) -> tuple[str, ...]:
    """The command line again, from what was understood of it, without what changes no result."""
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


def _out(choices: JobOptions, job: Job, console: Console) -> Path:
    """The folder that was named, or else the first default one that does not hold another job."""
    if choices.out or choices.overwrite:
        return choices.out or DEFAULT_OUT
    for number in count(1):
        path = DEFAULT_OUT if number == 1 else DEFAULT_OUT.with_name(f"{DEFAULT_OUT}-{number}")
        there = read_job(path)
        if there is None or there.fingerprint == job.fingerprint:
            break
    if number > 1:
        console.note(f"{DEFAULT_OUT} holds another job; this one goes to {path}.")
    return path
