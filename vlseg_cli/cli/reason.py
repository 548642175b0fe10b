"""``vlseg reason``: segment what answers a question."""

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
    """Segment what answers a question: 'what keeps food cold?'.

    vlseg reason kitchen.png "what keeps food cold?"
    """
    if job_options.prompts:
        request = row_requests(Task.REASON, job_options, many, words or text)
    else:
        inputs, texts = split_texts(words or (), text, "question")
        request = text_requests(inputs, Task.REASON, texts, job_options, many)
    run_job_command(context, request, job_options)
