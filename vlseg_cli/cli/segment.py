"""``vlseg segment``: everything in a picture, what is named, or what is pointed at."""

from typing import Annotated, Literal

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import Choices, answer
from vlseg_cli.cli.names import Names, parse_names, prompt_for
from vlseg_cli.cli.regions import Boxes, Masks, Points, Scribbles, parse_regions
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Frame, Task, UsageError

Kind = Annotated[
    Literal["panoptic", "semantic", "instance"] | None,
    typer.Option(
        "--task",
        help="Objects and surroundings, one area per name, or objects alone.",
        show_default="panoptic",
        rich_help_panel="Prompt",
    ),
]


def command(
    inputs: options.Inputs,
    kind: Kind = None,
    categories: Names = None,
    point: Points = None,
    box: Boxes = None,
    scribble: Scribbles = None,
    mask: Masks = None,
    model: options.Model = None,
    device: options.Device = None,
    threshold: options.Threshold = None,
    out: options.Out = options.DEFAULT_OUT,
    save: options.Save = options.DEFAULT_SAVE,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Segment everything, or what you name or point at.

    vlseg segment kitchen.png --categories "cup, table"

    vlseg segment kitchen.png --point 120,80 --box 40,30,200,150
    """
    regions = parse_regions(point, box, scribble, mask)
    if regions and (kind or categories):
        raise UsageError(
            "--point, --box, --scribble and --mask ask about places: give them without --task"
            " and --categories."
        )
    names, task = parse_names(categories), Task(kind or "panoptic")

    def ask(segmenter: Segmenter, frame: Frame) -> list[Ask]:
        if regions:
            return [Ask(0, Task.INTERACTIVE, regions.on(frame), threshold)]
        prompt = prompt_for(names, segmenter, countable=task is Task.INSTANCE)
        return [Ask(0, task, prompt, threshold)]

    has_map = not regions and task is not Task.INSTANCE
    answer(inputs, ask, Choices(model, device, out, save, as_json, quiet, has_map), names)
