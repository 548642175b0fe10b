"""``vlseg detect``: objects and their boxes, which are those of their masks."""

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import answer
from vlseg_cli.cli.asked import ask_names, ask_rows
from vlseg_cli.cli.choices import Choices
from vlseg_cli.cli.names import Names, parse_names
from vlseg_cli.cli.spread import spread
from vlseg_cli.schema import Task


@spread
def command(
    context: typer.Context,
    inputs: options.Inputs = None,
    categories: Names = None,
    *,
    choices: Choices,
) -> None:
    """Find objects and their boxes.

    vlseg detect street.png --categories "car, person"
    """
    if choices.prompts:
        asked = ask_rows(Task.DETECT, choices, many=False, beside=inputs or categories)
    else:
        asked = ask_names(inputs or (), Task.DETECT, parse_names(categories), choices)
    answer(context, asked, choices)
