"""``vlseg track``: objects by expression, question, category name or region, through time."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.options import JobOptions, expand_options
from vlseg_cli.cli.prompts import (
    CategoryNames,
    RegionOptions,
    checked_text,
    parse_names,
    parse_regions,
)
from vlseg_cli.cli.requests import row_requests, tracking_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Expression, Question, Task, UsageError

Videos = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIDEO",
        help="Videos, folders, patterns, lists (.txt), - for stdin.",
        show_default=False,
    ),
]
Refer = Annotated[
    list[str] | None,
    options.prompt_option(metavar="TEXT", help="An expression: 'the small red car'. Repeatable."),
]
Reason = Annotated[
    list[str] | None,
    options.prompt_option(metavar="TEXT", help="A question: 'what barks?'. Repeatable."),
]
At = Annotated[
    int | None,
    options.prompt_option(
        min=0,
        metavar="FRAME",
        help="Number of the frame that points, boxes, scribbles and masks are in, from 0; they are"
        " tracked from there on.",
        show_default="the first that is processed",
    ),
]


@expand_options
def command(
    context: typer.Context,
    videos: Videos = None,
    refer: Refer = None,
    reason: Reason = None,
    categories: CategoryNames = None,
    *,
    region_options: RegionOptions,
    at: At = None,
    many: options.Many = False,
    job_options: JobOptions,
) -> None:
    """Track objects through videos, by expression, question, name or region.

    vlseg track film.mp4 --refer "the white dog" --reason "what barks?"

    vlseg track film.mp4 --box 40,30,200,150 --at 25

    Each frame is encoded once for all prompts. An object keeps its track id while it is occluded
    or out of the image. Without any prompt, all categories of the model are tracked.
    """
    regions = parse_regions(region_options)
    texts: list[Expression | Question] = [
        *(Expression(checked_text(text, "expression")) for text in refer or ()),
        *(Question(checked_text(text, "question")) for text in reason or ()),
    ]
    if job_options.batch_size is not None:
        raise UsageError("--batch-size: tracking goes frame by frame, leave it out.")
    if at is not None and not regions:
        raise UsageError("--at is the frame of --point, --box, --scribble or --mask: give one.")
    if job_options.prompts:
        others = videos or texts or categories or regions
        request = row_requests(Task.REFER, job_options, many, others, tracking=True)
    else:
        names = parse_names(categories) if categories or not (texts or regions) else None
        request = tracking_requests(videos or (), texts, names, regions, at, job_options, many)
    run_job_command(context, request, job_options)
