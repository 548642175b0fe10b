"""What one row of a prompts file means: an input, a task and a prompt.

The prompt is not yet tied to a picture or a model: places are drawn, and names marked as stuff,
when their frame is at hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlseg_cli.cli.names import parse_names, prompt_for
from vlseg_cli.cli.prompts_file.regions import read_regions
from vlseg_cli.cli.prompts_file.table import ASKING, parse_json
from vlseg_cli.cli.regions import RegionPrompts, regions_on
from vlseg_cli.cli.wording import each_once, shown
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import Categories, Expression, Frame, Prompt, Question, Task, UsageError
from vlseg_cli.schema.errors import nearest

# The tasks that go with a column, of commands that look at frames and of those that track.
Tasks = Mapping[str, tuple[Task, ...]]
OF_FRAMES: Tasks = {
    "text": (Task.REFER, Task.REASON, Task.GROUND),
    "categories": (Task.PANOPTIC, Task.SEMANTIC, Task.INSTANCE, Task.DETECT),
    "regions": (Task.INTERACTIVE,),
}
OF_VIDEOS: Tasks = {
    "text": (Task.REFER, Task.REASON),
    "categories": (Task.VIS,),
    "regions": (Task.VOS,),
}


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A row that makes sense. input: as written. at: the frame that regions to be tracked are
    drawn in, None for the first."""

    input: str
    task: Task
    asked: Expression | Question | Categories | RegionPrompts
    at: int | None = None

    def prompt_on(self, frame: Frame, model: Segmenter) -> Prompt:
        """What to ask about a frame.

        Raises UsageError for a place outside of it, InputError for a mask that cannot be read.
        """
        match self.asked:
            case Categories(names=names):
                return prompt_for(names, model, self.task)
            case Expression() | Question():
                return self.asked
            case places:
                return regions_on(places, frame)

    def words(self) -> tuple[str, ...]:
        """The sentence or the names."""
        match self.asked:
            case Expression(text=text) | Question(text=text):
                return (text,)
            case Categories(names=names):
                return names
            case _:
                return ()

    def masks(self) -> bytes:
        """What stands for the mask files it points at; b'' if there are none.

        Raises InputError for one that cannot be read.
        """
        if isinstance(self.asked, Expression | Question | Categories):
            return b""
        return b"".join(json.dumps(p.plain()).encode() for p in self.asked if p.kind == "mask")


def read_row(cells: dict[str, Any], default: Task, folder: Path, tasks: Tasks) -> PromptRow:
    """Make sense of a row.

    default: the task of a row that names none, if it goes with what the row requests. folder: where
    mask files are looked for. tasks: what can be asked. Raises UsageError in words that follow
    'FILE, line N: '.
    """
    asking = [column for column in ASKING if column in cells]
    if len(asking) != 1:
        found = f"has {' and '.join(asking)}" if asking else "requests nothing"
        raise UsageError(f"this row {found}: fill exactly one of text, categories and regions.")
    (column,) = asking
    task = _task(cells.get("task"), column, tasks[column], default)
    asked = _asked(cells[column], column, task, folder)
    return PromptRow(_input(cells.get("input")), task, asked, _at(cells.get("at"), task))


def _input(written: Any) -> str:
    if not isinstance(written, str):
        raise UsageError("this row names no input: write a file under input.")
    return written


def _at(written: Any, task: Task) -> int | None:
    if written is None:
        return None
    if task is not Task.VOS:
        raise UsageError("at is the frame of regions that 'vlseg track' follows: leave it out.")
    if not (str(written).isdecimal() and len(str(written)) < 10):
        raise UsageError(f"{shown(written)} under at is no frame: write its number, from 0.")
    return int(written)


def _task(written: Any, column: str, fitting: tuple[Task, ...], default: Task) -> Task:
    if written in fitting:
        return Task(written)
    if written is None and (default in fitting or len(fitting) == 1):
        return default if default in fitting else fitting[0]
    choices = " or ".join(fitting)
    if written is None:
        raise UsageError(f"{column} needs a task here: write {choices} under task.")
    hint = nearest(str(written), fitting)
    raise UsageError(
        f"{column} does not go with the task {shown(written)}{hint} (write {choices})."
    )


def _asked(
    written: Any, column: str, task: Task, folder: Path
) -> Expression | Question | Categories | RegionPrompts:
    value = parse_json(written) if _is_json(written, column) else written
    if column == "regions":
        return read_regions(value, folder)
    if column == "categories":
        return Categories(_names(value))
    sentence = _sound(value)
    return Question(sentence) if task is Task.REASON else Expression(sentence)


def _is_json(written: Any, column: str) -> bool:
    """Whether a cell of CSV holds a JSON list; a sentence may begin with a bracket."""
    return column != "text" and isinstance(written, str) and written.startswith("[")


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return parse_names(_sound(value), "categories")
    names = each_once(_sound(name) for name in value) if isinstance(value, list) else ()
    if not names:
        raise UsageError(f'{shown(value)} names nothing: write ["cup", "table"] or "cup, table".')
    return names


def _sound(value: Any) -> str:
    """Words that can be written down again. JSON can hold half of a character (a surrogate)."""
    try:
        if isinstance(value, str) and value.encode():
            return value
    except UnicodeEncodeError:
        pass
    raise UsageError(f"{shown(value)} are no words: write them in quotation marks.")
