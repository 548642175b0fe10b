"""``vlseg detect``: objects and their boxes, by name or by description."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.job_options import JobOptions, expand_options
from vlseg_cli.cli.names import Names, parse_names
from vlseg_cli.cli.requests import name_requests, row_requests, text_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.cli.texts import checked
from vlseg_cli.schema import Task, UsageError

Descriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--refer",
        metavar='"TEXT"',
        help="Describe what to find; repeat it for several, which share one look at each image.",
        rich_help_panel="Prompt",
    ),
]


@expand_options
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    categories: Names = None,
    refer: Descriptions = None,
    many: options.Many = False,
    *,
    choices: JobOptions,
) -> None:
    """Find objects and their boxes.

    vlseg detect street.png --categories "car, person"

    vlseg detect street.png --refer "the red car on the left"
    """
    if refer and categories:
        raise UsageError("--refer describes what --categories would name: give one of them.")
    if many and not (refer or choices.prompts):
        raise UsageError("--many goes with --refer: names are always found everywhere.")
    if choices.prompts:
        asked = row_requests(Task.DETECT, choices, many, beside=inputs or categories or refer)
    elif refer:
        sentences = [checked(text, "description") for text in refer]
        asked = text_requests(inputs or (), Task.GROUND, sentences, choices, many)
    else:
        asked = name_requests(inputs or (), Task.DETECT, parse_names(categories), choices)
    run_job_command(context, asked, choices)
