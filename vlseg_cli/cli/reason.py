"""``vlseg reason``: find what answers a question."""

from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import Choices, answer
from vlseg_cli.cli.sentences import Texts, split_sentences
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Frame, Question, Task

Words = Annotated[
    list[str],
    typer.Argument(
        metavar='INPUT... "QUESTION"', help="Images, folders or patterns; last the question."
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
    """Find what answers a question: 'what keeps food cold?'.

    vlseg reason kitchen.png "what keeps food cold?"
    """
    inputs, questions = split_sentences(words, text, "question")

    def ask(_model: Segmenter, _frame: Frame) -> list[Ask]:
        return [Ask(0, Task.REASON, Question(one), threshold, many) for one in questions]

    answer(inputs, ask, Choices(model, device, out, save, as_json, quiet), questions)
