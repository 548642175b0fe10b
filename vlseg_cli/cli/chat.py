"""``vlseg chat``: question after question about one picture, answered in words and masks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.model import ModelChoice
from vlseg_cli.cli.sentences import checked
from vlseg_cli.models.precision import FULL
from vlseg_cli.schema import Frame, UsageError

Source = Annotated[str, typer.Argument(metavar="IMAGE|VIDEO", help="What to ask about.")]
Text = Annotated[
    str | None,
    typer.Argument(
        metavar="QUESTION",
        help="A single question.",
        show_default="a question per line, from the terminal or stdin",
    ),
]
At = Annotated[
    int, typer.Option(min=0, metavar="FRAME", help="Of a video, the number of the frame.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for the masks: a picture with all of them, COCO and JSON lines."),
]


def command(
    source: Source,
    question: Text = None,
    at: At = 0,
    model: options.Model = None,
    device: options.Device = None,
    dtype: options.Dtype = FULL,
    out: Out = None,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask about a picture in a conversation, in words and masks.

    vlseg chat kitchen.png "what keeps food cold?"

    The words are the model's own; one that was not taught to talk, as the embedded default, says
    so and answers with masks alone. The picture is looked at once; each question is asked afresh.
    """
    questions = _lines() if question is None else iter([checked(question, "question")])
    from vlseg_cli.cli.conversation import Conversation  # brings the formats

    console = Console(quiet)
    frame = _frame(source, at)
    asked = ModelChoice(model, device, dtype).load(console)
    conversation = Conversation(asked, frame, console, out)
    for one in questions:
        conversation.ask(one, as_json)
    conversation.close()


def _frame(source: str, at: int) -> Frame:
    """The picture, or a frame of the video. Raises NoInputError or InputError."""
    from vlseg_cli.media import Decoder, list_inputs
    from vlseg_cli.media.sample import sample_frames
    from vlseg_cli.schema import Clip

    found = list(list_inputs([source]))
    if len(found) != 1:
        raise UsageError(f"{source!r} is {len(found):,} inputs: a conversation is about one.")
    if found[0].is_video:
        return sample_frames(Path(found[0].source), [at])[0]
    if at:
        raise UsageError(f"{source} is a picture, which has no frame {at}: leave out --at.")
    with Decoder() as decoder:
        return next(decoder.frames(Path(found[0].source), Clip()))


def _lines() -> Iterator[str]:
    """Questions as they are typed; empty lines are passed over, an end of input ends them."""
    is_typed = sys.stdin.isatty()
    while True:
        if is_typed:
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()
