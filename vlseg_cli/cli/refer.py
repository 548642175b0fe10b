"""``vlseg refer``: segment what an expression describes."""

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.job_options import JobOptions, expand_options
from vlseg_cli.cli.prompts import Texts, Words, split_texts
from vlseg_cli.cli.requests import row_requests, text_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Task


@expand_options
def command(
    context: typer.Context,
    words: Words = None,
    text: Texts = None,
    many: options.Many = False,
    *,
    job_options: JobOptions,
) -> None:
    """Segment what an expression describes: 'the small red car'.

    vlseg refer street.png "the small red car left of the tree"
    """
    if job_options.prompts:
        request = row_requests(Task.REFER, job_options, many, words or text)
    else:
        inputs, texts = split_texts(words or (), text, "expression")
        request = text_requests(inputs, Task.REFER, texts, job_options, many)
    run_job_command(context, request, job_options)
