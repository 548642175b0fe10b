"""One row of a prompts file, validated by pydantic: an input, a task and a prompt.

=========  ===============================  ============================
region     as text, with ; between several  as JSON, in a list
=========  ===============================  ============================
point      point 120,80                     {"point": [120, 80]}
box        box 40,30,200,150                {"box": [40, 30, 200, 150]}
scribble   scribble 10,20 60,40 90,80       {"scribble": [[10, 20], …]}
mask       mask cup.png                     {"mask": "cup.png"}
=========  ===============================  ============================

A point may have several x,y, all of one object. Regions are drawn, and categories marked as stuff,
only once their frame and model are at hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainValidator,
    SkipValidation,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)

from vlseg_cli.cli.prompts import (
    RegionPrompt,
    category_prompt,
    numbers_in,
    parse_names,
    points_of,
    regions_on,
)
from vlseg_cli.cli.prompts_file.table import PROMPT_COLUMNS, parse_json
from vlseg_cli.cli.values import each_once, shown
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import Expression, Frame, Prompt, Question, Task, UsageError
from vlseg_cli.schema.errors import nearest
from vlseg_cli.schema.prompt import RegionKind

# The tasks that go with a column, of commands that segment frames and of those that track.
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

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]
RegionCell = Annotated[
    dict[RegionKind, str | list[Coordinate | list[Coordinate]]], Field(min_length=1, max_length=1)
]
_REGION_CELL: TypeAdapter[dict[RegionKind, Any]] = TypeAdapter(RegionCell)


def _split_names(value: Any) -> Any:
    """'cup, table' or a JSON list in a cell of CSV to names."""
    if not isinstance(value, str):
        return value
    return parse_json(value) if value.startswith("[") else parse_names(value, "categories")


def _split_regions(value: Any, info: ValidationInfo[Any]) -> Any:
    """'box 40,30,200,150; …' or a JSON list in a cell of CSV to regions."""
    if not isinstance(value, str):
        return value
    if value.startswith("["):
        return parse_json(value)
    return [_region_of_text(part.strip(), info) for part in value.split(";") if part.strip()]


def _region_of_text(text: str, info: ValidationInfo[Any]) -> RegionPrompt:
    kind, _, rest = text.partition(" ")
    if kind == "mask":
        return _mask(rest.strip(), info.context)
    return _drawn(kind, numbers_in(rest.strip(), r"[,\s]+"), text)


def _region(value: Any, info: ValidationInfo[Any]) -> RegionPrompt:
    if isinstance(value, RegionPrompt):  # already read from text
        return value
    try:
        ((kind, where),) = _REGION_CELL.validate_python(value).items()
    except ValidationError:
        raise _no_region(value) from None
    if isinstance(where, str):
        return _mask(where, info.context) if kind == "mask" else _drawn(kind, [], value)
    nested = (one if isinstance(one, list) else [one] for one in where)
    return _drawn(kind, [*chain.from_iterable(nested)], value)


def _drawn(kind: str, numbers: list[float], written: Any) -> RegionPrompt:
    match kind, points_of(numbers):
        case ("point" | "scribble" as drawn, points) if points:
            return RegionPrompt(drawn, points)
        case "box", (start, end):
            return RegionPrompt("box", (start, end))
        case _:
            raise _no_region(written)


def _mask(name: str, folder: Path) -> RegionPrompt:
    path = folder / name
    try:
        if name and path.is_file():
            return RegionPrompt("mask", path)
    except (OSError, ValueError):
        pass
    raise UsageError(f"there is no mask file {shown(name)} beside the prompts file.")


def _no_region(written: Any) -> UsageError:
    return UsageError(
        f"{shown(written)} is no region: write 'point x,y', 'box x0,y0,x1,y1', 'scribble x,y x,y …'"
        " or 'mask FILE', in pixels, with ; between several."
    )


Text = Annotated[str, Field(strict=True, min_length=1)]
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_split_names, json_schema_input_type=str | list[str]),
    AfterValidator(each_once),
    Field(min_length=1),
]
RegionList = Annotated[
    tuple[Annotated[RegionPrompt, PlainValidator(_region)], ...],
    BeforeValidator(_split_regions, json_schema_input_type=str | list[RegionCell]),
    Field(min_length=1),
]
FrameIndex = Annotated[
    int,
    Field(strict=True, ge=0, lt=10**9),
    BeforeValidator(lambda value: int(value) if str(value).isdecimal() else value),
]


@dataclass(frozen=True, slots=True)
class PromptFileRow:
    """A row of a prompts file: input, and exactly one of text, categories and regions.

    input: a file. task: by default the command's, or the only one that the column goes with. text:
    an expression or a question. categories, regions: a list, or text with commas or semicolons
    between several. at: index of the frame in which regions to be tracked are drawn, by default
    the first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    input: InstanceOf[str]
    task: SkipValidation[Task] = field(default_factory=lambda: Task.REFER)  # set by read_row
    text: Text | None = None
    categories: Names | None = None
    regions: RegionList | None = None
    at: FrameIndex | None = None

    def prompt_on(self, frame: Frame, model: Segmenter) -> Prompt:
        """The prompt for a frame.

        Raises UsageError for a region outside of it, InputError for a mask that cannot be read.
        """
        if self.text is not None:
            return (Question if self.task is Task.REASON else Expression)(self.text)
        if self.categories is not None:
            return category_prompt(self.categories, model, self.task)
        return regions_on(self.regions or (), frame)

    def texts(self) -> tuple[str, ...]:
        """The sentence or the names."""
        return (self.text,) if self.text else self.categories or ()

    def masks(self) -> bytes:
        """Digests of the mask files among its regions. Raises InputError for an unreadable one."""
        masks = (one for one in self.regions or () if one.kind == "mask")
        return b"".join(json.dumps(one.to_json()).encode() for one in masks)


PROMPT_ROW = TypeAdapter(PromptFileRow)


def read_row(cells: dict[str, Any], default: Task, folder: Path, tasks: Tasks) -> PromptFileRow:
    """Validate a row.

    cells: by column, the empty ones left out. default: the task of a row that names none, if it
    goes with the row's prompt. folder: of the mask files. tasks: those that are possible. Raises
    UsageError in words that follow 'FILE, line N: '.
    """
    asking = [column for column in PROMPT_COLUMNS if column in cells]
    if len(asking) != 1:
        found = f"has {' and '.join(asking)}" if asking else "requests nothing"
        raise UsageError(f"this row {found}: fill exactly one of text, categories and regions.")
    (column,) = asking
    task = _task(cells.get("task"), column, tasks[column], default)
    try:
        row = PROMPT_ROW.validate_python({"input": None, **cells, "task": task}, context=folder)
    except ValidationError as error:
        raise _mistake(error, cells) from error
    if row.at is not None and task is not Task.VOS:
        raise UsageError("at is the frame of regions that 'vlseg track' follows: leave it out.")
    return row


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


def _mistake(error: ValidationError, cells: dict[str, Any]) -> UsageError:
    """The first of pydantic's errors in our words."""
    first = error.errors()[0]
    column, *inside = first["loc"]
    value = cells.get(str(column))
    if column == "input":
        return UsageError("this row names no input: write a file under input.")
    if column == "regions":
        return _no_region(value)
    if column == "at":
        return UsageError(f"{shown(value)} under at is no frame: write its number, from 0.")
    if column == "categories" and not inside:
        return UsageError(f'{shown(value)} names nothing: write ["cup", "table"] or "cup, table".')
    return UsageError(f"{shown(first['input'])} are no words: write them in quotation marks.")
