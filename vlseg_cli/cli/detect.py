"""``vlseg detect``: objects and their boxes, by category name or description."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.options import JobOptions, expand_options
from vlseg_cli.cli.prompts import CategoryNames, checked_text, parse_names
from vlseg_cli.cli.requests import name_requests, row_requests, text_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Task, UsageError

Descriptions = Annotated[
    list[str] | None,
    options.prompt_option(
        "--refer",
        metavar='"TEXT"',
        help="A description; repeat it for several: each image is encoded once for all.",
    ),
]


@expand_options
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    categories: CategoryNames = None,
    refer: Descriptions = None,
    many: options.Many = False,
    *,
    job_options: JobOptions,
) -> None:
    """Detect objects and their boxes.

    vlseg detect street.png --categories "car, person"

    vlseg detect street.png --refer "the red car on the left"
    """
    if refer and categories:
        raise UsageError("--refer and --categories exclude each other: give one of them.")
    if many and not (refer or job_options.prompts):
        raise UsageError("--many goes with --refer: --categories always finds all.")
    if job_options.prompts:
        request = row_requests(Task.DETECT, job_options, many, inputs or categories or refer)
    elif refer:
        texts = [checked_text(text, "description") for text in refer]
        request = text_requests(inputs or (), Task.GROUND, texts, job_options, many)
    else:
        request = name_requests(inputs or (), Task.DETECT, parse_names(categories), job_options)
    run_job_command(context, request, job_options)
