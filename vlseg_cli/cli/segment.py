"""``vlseg segment``: everything in a picture, what is named, or what is pointed at."""

from typing import Annotated, Literal

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.job_options import JobOptions, expand_options
from vlseg_cli.cli.names import Names, parse_names
from vlseg_cli.cli.regions import Boxes, Masks, Points, Scribbles, parse_regions
from vlseg_cli.cli.requests import name_requests, region_requests, row_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Task, UsageError

Kind = Annotated[
    Literal["panoptic", "semantic", "instance"] | None,
    typer.Option(
        "--task",
        help="Objects and surroundings, one area per name, or objects alone.",
        show_default="panoptic",
        rich_help_panel="Prompt",
    ),
]


@expand_options
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    kind: Kind = None,
    categories: Names = None,
    point: Points = None,
    box: Boxes = None,
    scribble: Scribbles = None,
    mask: Masks = None,
    *,
    choices: JobOptions,
) -> None:
    """Segment everything, or what you name or point at.

    vlseg segment kitchen.png --categories "cup, table"

    vlseg segment kitchen.png --point 120,80 --box 40,30,200,150
    """
    places = parse_regions(point, box, scribble, mask)
    if places and (kind or categories):
        raise UsageError(
            "--point, --box, --scribble and --mask ask about places: give them without --task"
            " and --categories."
        )
    task = Task(kind or "panoptic")
    if choices.prompts:
        asked = row_requests(task, choices, many=False, beside=inputs or categories or places)
    elif places:
        asked = region_requests(inputs or (), places, choices)
    else:
        asked = name_requests(inputs or (), task, parse_names(categories), choices)
    run_job_command(context, asked, choices)
