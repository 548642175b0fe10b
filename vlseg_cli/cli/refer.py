"""``vlseg refer`` and ``vlseg reason``: segment what an expression describes or what answers
a question. The two differ in the task and in the word for the text."""

from collections.abc import Sequence

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.options import JobOptions, expand_options
from vlseg_cli.cli.prompts import Texts, Words, split_texts
from vlseg_cli.cli.requests import row_requests, text_requests
from vlseg_cli.cli.run_job import run_job_command
from vlseg_cli.schema import Task


@expand_options
def refer(
    context: typer.Context,
    words: Words = None,
    text: Texts = None,
    many: options.Many = False,
    *,
    job_options: JobOptions,
) -> None:
    """Segment what an expression describes: 'the small red car'.

    vlseg refer street.png "the small red car left of the tree"

    vlseg refer photos/ -t "the dog" -t "the ball" --many --save coco,overlay
    """
    _run(context, Task.REFER, "expression", words or (), text, many, job_options)


@expand_options
def reason(
    context: typer.Context,
    words: Words = None,
    text: Texts = None,
    many: options.Many = False,
    *,
    job_options: JobOptions,
) -> None:
    """Segment what answers a question: 'what keeps food cold?'.

    vlseg reason kitchen.png "what keeps food cold?"

    vlseg reason photos/ "what could hurt a child?" --out hazards --json
    """
    _run(context, Task.REASON, "question", words or (), text, many, job_options)


def _run(
    context: typer.Context,
    task: Task,
    kind: str,
    words: Sequence[str],
    text: list[str] | None,
    many: bool,
    job_options: JobOptions,
) -> None:
    if job_options.prompts:
        request = row_requests(task, job_options, many, words or text)
    else:
        inputs, texts = split_texts(words, text, kind)
        request = text_requests(inputs, task, texts, job_options, many)
    run_job_command(context, request, job_options)
