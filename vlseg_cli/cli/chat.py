"""What is said about one picture: answers as they come, and the masks of all of them at the end."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.cli.job_options import ModelChoice
from vlseg_cli.cli.texts import checked
from vlseg_cli.cli.wording import printable
from vlseg_cli.jobs.job import read_job
from vlseg_cli.media.formats import is_video
from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.precision import FULL
from vlseg_cli.outputs import OutputFolder, close_formats, open_sinks, record_line
from vlseg_cli.outputs.records import record_of
from vlseg_cli.schema import (
    Frame,
    Item,
    Prediction,
    PromptRequest,
    Question,
    Record,
    Task,
    UsageError,
)

FORMATS = ("overlay", "coco", "jsonl")


class ChatSession:
    """Questions about a frame that was looked at once."""

    def __init__(self, model: Segmenter, frame: Frame, console: Console, out: Path | None) -> None:
        """out: a folder for the masks. Raises UsageError if it holds a job."""
        self._model, self._frame, self._console = model, frame, console
        self._folder = None if out is None else OutputFolder(out)
        if out is not None and self._folder is not None:
            if read_job(out) is not None:
                raise UsageError(f"--out {out} holds the results of a job: give another folder.")
            self._folder.make()
        video = is_video(Path(frame.source))
        name = OutputFolder(Path()).name_for(frame.source)
        self._item = Item(0, frame.source, name, video, bytes=0, modified=0)
        self._encoded = model.encode([frame])
        self._talks = True
        self._records: list[Record] = []

    def ask(self, text: str, as_json: bool) -> None:
        """Ask one question and show what is answered."""
        record = record_of(self._answer(Question(text)), self._item, self._frame.time)
        self._records.append(record)
        self._console.show(replace(record, text=""), in_full=True)
        if as_json or record.text:
            print(record_line(record) if as_json else printable(record.text), flush=True)

    def _answer(self, question: Question) -> Prediction:
        """Masks and words; from a model that does not talk masks alone, and once a note."""
        requests = [PromptRequest(0, Task.REASON, question)]
        if self._talks:
            requests.append(PromptRequest(0, Task.CHAT, question))
        try:
            masks, *words = self._model.predict(self._encoded, requests)
        except UsageError as error:
            if not self._talks:
                raise
            self._talks = False
            self._console.note(str(error))
            return self._answer(question)
        return replace(masks, task=Task.CHAT, text=words[0].text if words else "")

    def close(self) -> None:
        """Write the masks, if there is a place for them."""
        if self._folder is None or not self._records:
            return
        for sink in open_sinks(FORMATS, self._folder, videos=False):
            sink.write(self._frame, self._item, 0, self._records)
            sink.end_part(self._item, 0)
            sink.end_item(self._item, 1)
            sink.forget_parts(self._item)
        close_formats(FORMATS, self._records, self._folder)
        self._console.note(f"Saved in {self._folder.root}: {', '.join(FORMATS)}.")


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
    pass

    console = Console(quiet)
    frame = _frame(source, at)
    asked = ModelChoice(model, device, dtype).load(console)
    conversation = ChatSession(asked, frame, console, out)
    for one in questions:
        conversation.ask(one, as_json)
    conversation.close()


def _frame(source: str, at: int) -> Frame:
    """The picture, or a frame of the video. Raises NoInputError or InputError."""
    from vlseg_cli.media import Decoder, list_inputs
    from vlseg_cli.media.random_access import sample_frames
    from vlseg_cli.schema import FrameRange

    found = list(list_inputs([source]))
    if len(found) != 1:
        raise UsageError(f"{source!r} is {len(found):,} inputs: a conversation is about one.")
    if found[0].is_video:
        return sample_frames(Path(found[0].source), [at])[0]
    if at:
        raise UsageError(f"{source} is a picture, which has no frame {at}: leave out --at.")
    with Decoder() as decoder:
        return next(decoder.frames(Path(found[0].source), FrameRange()))


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
