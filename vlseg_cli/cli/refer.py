"""``vlseg refer``: find what an expression describes."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import Choices, answer
from vlseg_cli.cli.sentences import Texts, split_sentences
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Expression, Frame, Task

Words = Annotated[
    list[str],
    typer.Argument(
        metavar='INPUT... "TEXT"', help="Images, folders or patterns; last the expression."
    ),
]


def command(
    words: Words,
    text: Texts = None,
    many: options.Many = False,
    model: options.Model = None,
    device: options.Device = None,
    threshold: options.Threshold = None,
    out: options.Out = options.DEFAULT_OUT,
    save: options.Save = options.DEFAULT_SAVE,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Find what an expression describes: 'the small red car'.

    vlseg refer street.png "the small red car left of the tree"
    """
    inputs, sentences = split_sentences(words, text, "expression")

    def ask(_model: Segmenter, _frame: Frame) -> list[Ask]:
        return [Ask(0, Task.REFER, Expression(one), threshold, many) for one in sentences]

    answer(inputs, ask, Choices(model, device, out, save, as_json, quiet), sentences)
