"""``vlseg refer``: find what an expression describes."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.job_options import JobOptions, expand_options
from vlseg_cli.cli.requests import row_requests, text_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.cli.texts import Texts, split_sentences
from vlseg_cli.schema import Task

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar='INPUT... "TEXT"',
        help=f"{options.INPUTS}; last the expression.",
        show_default=False,
    ),
]


@expand_options
def command(
    context: typer.Context,
    words: Words = None,
    text: Texts = None,
    many: options.Many = False,
    *,
    choices: JobOptions,
) -> None:
    """Find what an expression describes: 'the small red car'.

    vlseg refer street.png "the small red car left of the tree"
    """
    if choices.prompts:
        asked = row_requests(Task.REFER, choices, many, beside=words or text)
    else:
        inputs, sentences = split_sentences(words or (), text, "expression")
        asked = text_requests(inputs, Task.REFER, sentences, choices, many)
    run_job_command(context, asked, choices)
