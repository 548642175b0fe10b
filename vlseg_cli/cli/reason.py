"""``vlseg reason``: find what answers a question."""

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
        metavar='INPUT... "QUESTION"',
        help=f"{options.INPUTS}; last the question.",
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
    """Find what answers a question: 'what keeps food cold?'.

    vlseg reason kitchen.png "what keeps food cold?"
    """
    if choices.prompts:
        asked = row_requests(Task.REASON, choices, many, beside=words or text)
    else:
        inputs, questions = split_sentences(words or (), text, "question")
        asked = text_requests(inputs, Task.REASON, questions, choices, many)
    run_job_command(context, asked, choices)
