"""``vlseg detect``: objects and their boxes, which are those of their masks."""

from vlseg_cli.cli import options
from vlseg_cli.cli.answer import Choices, answer
from vlseg_cli.cli.names import Names, parse_names, prompt_for
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import Ask, Frame, Task


def command(
    inputs: options.Inputs,
    categories: Names = None,
    model: options.Model = None,
    device: options.Device = None,
    threshold: options.Threshold = None,
    out: options.Out = options.DEFAULT_OUT,
    save: options.Save = options.DEFAULT_SAVE,
    as_json: options.AsJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Find objects and their boxes.

    vlseg detect street.png --categories "car, person"
    """
    names = parse_names(categories)

    def ask(segmenter: Segmenter, _frame: Frame) -> list[Ask]:
        return [Ask(0, Task.DETECT, prompt_for(names, segmenter, countable=True), threshold)]

    answer(inputs, ask, Choices(model, device, out, save, as_json, quiet), names)
