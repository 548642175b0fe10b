"""``vlseg refer``: find what an expression describes."""

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
        metavar='INPUT... "TEXT"',
        help=f"{options.INPUTS}; last the expression.",
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
    """Find what an expression describes: 'the small red car'.

    vlseg refer street.png "the small red car left of the tree"
    """
    if choices.prompts:
        asked = ask_rows(Task.REFER, choices, many, beside=words or text)
    else:
        inputs, sentences = split_sentences(words or (), text, "expression")
        asked = ask_sentences(inputs, Task.REFER, sentences, choices, many)
    answer(context, asked, choices)
