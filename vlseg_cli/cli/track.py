"""``vlseg track``: what is described, asked for, named or pointed at, through time."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.job_options import JobOptions, expand_options
from vlseg_cli.cli.names import Names, parse_names
from vlseg_cli.cli.regions import Boxes, Masks, Points, Scribbles, parse_regions
from vlseg_cli.cli.requests import row_requests, tracking_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.cli.texts import checked
from vlseg_cli.schema import Expression, Question, Task, UsageError

_PANEL = "Prompt"

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
    typer.Option(
        metavar="TEXT",
        help="An expression: 'the small red car'. Repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Reason = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="A question: 'what barks?'. Repeatable.", rich_help_panel=_PANEL
    ),
]
At = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="FRAME",
        help="Number of the frame that points, boxes, scribbles and masks are in, from 0; they are"
        " followed from there on.",
        show_default="the first that is answered",
        rich_help_panel=_PANEL,
    ),
]


@expand_options
def command(
    context: typer.Context,
    videos: Videos = None,
    refer: Refer = None,
    reason: Reason = None,
    categories: Names = None,
    point: Points = None,
    box: Boxes = None,
    scribble: Scribbles = None,
    mask: Masks = None,
    at: At = None,
    many: options.Many = False,
    *,
    choices: JobOptions,
) -> None:
    """Follow things through videos: described, asked for, named, pointed at.

    vlseg track film.mp4 --refer "the white dog" --reason "what barks?"

    vlseg track film.mp4 --box 40,30,200,150 --at 25

    Several prompts share one look at each frame. A thing keeps its number while it is hidden or
    out of the picture. Without any prompt, all things that the model knows by name are followed.
    """
    places = parse_regions(point, box, scribble, mask)
    sentences: list[Expression | Question] = [
        *(Expression(checked(text, "expression")) for text in refer or ()),
        *(Question(checked(text, "question")) for text in reason or ()),
    ]
    if choices.batch_size is not None:
        raise UsageError("--batch-size: tracking goes frame by frame, so leave it out.")
    if at is not None and not places:
        raise UsageError("--at is the frame of --point, --box, --scribble or --mask: give one.")
    if choices.prompts:
        beside = videos or sentences or categories or places
        asked = row_requests(Task.REFER, choices, many, beside, through_time=True)
    else:
        names = parse_names(categories) if categories or not (sentences or places) else None
        asked = tracking_requests(videos or (), sentences, names, places, at, choices, many)
    run_job_command(context, asked, choices)
