"""What is said about one picture: answers as they come, and the masks of all of them at the end."""

from dataclasses import replace
from pathlib import Path

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.sentence import printable
from vlseg_cli.jobs.job import read_job
from vlseg_cli.media.formats import is_video
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.outputs import OutputFolder, close_formats, open_sinks, record_line
from vlseg_cli.outputs.records import record_of
from vlseg_cli.schema import Ask, Frame, Item, Prediction, Question, Record, Task, UsageError

FORMATS = ("overlay", "coco", "jsonl")


class Conversation:
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
        asks = [Ask(0, Task.REASON, question)]
        if self._talks:
            asks.append(Ask(0, Task.CHAT, question))
        try:
            masks, *words = self._model.answer(self._encoded, asks)
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
