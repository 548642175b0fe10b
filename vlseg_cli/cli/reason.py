"""``vlseg reason``: find what answers a question."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import answer
from vlseg_cli.cli.asked import ask_rows, ask_sentences
from vlseg_cli.cli.choices import Choices
from vlseg_cli.cli.sentences import Texts, split_sentences
from vlseg_cli.cli.spread import spread
from vlseg_cli.schema import Task

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar='INPUT... "QUESTION"',
        help=f"{options.INPUTS}; last the question.",
        show_default=False,
    ),
]


@spread
def command(
    context: typer.Context,
    words: Words = None,
    text: Texts = None,
    many: options.Many = False,
    *,
    choices: Choices,
) -> None:
    """Find what answers a question: 'what keeps food cold?'.

    vlseg reason kitchen.png "what keeps food cold?"
    """
    if choices.prompts:
        asked = ask_rows(Task.REASON, choices, many, beside=words or text)
    else:
        inputs, questions = split_sentences(words or (), text, "question")
        asked = ask_sentences(inputs, Task.REASON, questions, choices, many)
    answer(context, asked, choices)
