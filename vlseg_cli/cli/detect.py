"""``vlseg detect``: objects and their boxes, by name or by description."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import answer
from vlseg_cli.cli.asked import ask_names, ask_rows, ask_sentences
from vlseg_cli.cli.choices import Choices
from vlseg_cli.cli.names import Names, parse_names
from vlseg_cli.cli.sentences import checked
from vlseg_cli.cli.spread import spread
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


@spread
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    categories: Names = None,
    refer: Descriptions = None,
    many: options.Many = False,
    *,
    choices: Choices,
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
        asked = ask_rows(Task.DETECT, choices, many, beside=inputs or categories or refer)
    elif refer:
        sentences = [checked(text, "description") for text in refer]
        asked = ask_sentences(inputs or (), Task.GROUND, sentences, choices, many)
    else:
        asked = ask_names(inputs or (), Task.DETECT, parse_names(categories), choices)
    answer(context, asked, choices)
