"""``vlseg segment``: everything in an image, named categories, or given regions."""

from typing import Annotated, Literal

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.options import JobOptions, expand_options
from vlseg_cli.cli.prompts import (
    CategoryNames,
    RegionOptions,
    parse_names,
    parse_regions,
)
from vlseg_cli.cli.requests import name_requests, region_requests, row_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Task, UsageError

Kind = Annotated[
    Literal["panoptic", "semantic", "instance"] | None,
    options.prompt_option(
        "--task",
        help="Things and stuff, one map per category, or things alone.",
        show_default="panoptic",
    ),
]


@expand_options
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    kind: Kind = None,
    categories: CategoryNames = None,
    *,
    region_options: RegionOptions,
    job_options: JobOptions,
) -> None:
    """Segment everything, named categories, or given regions.

    vlseg segment kitchen.png --categories "cup, table"

    vlseg segment kitchen.png --point 120,80 --box 40,30,200,150
    """
    regions = parse_regions(region_options)
    if regions and (kind or categories):
        raise UsageError(
            "--point, --box, --scribble and --mask are regions: give them without --task"
            " and --categories."
        )
    task = Task(kind or "panoptic")
    if job_options.prompts:
        request = row_requests(task, job_options, False, inputs or categories or regions)
    elif regions:
        request = region_requests(inputs or (), regions, job_options)
    else:
        request = name_requests(inputs or (), task, parse_names(categories), job_options)
    run_job_command(context, request, job_options)
