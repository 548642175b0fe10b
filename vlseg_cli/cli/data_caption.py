"""``vlseg data caption``: several captions for every picture, as MVP-LM's training wants them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vlseg_cli.cli import options
from vlseg_cli.schema import InputError, UsageError

if TYPE_CHECKING:
    from vlseg_cli.cli.console import Console
    from vlseg_cli.datasets.captions import CaptionedImage

_PROMPT = "Describe the image in two or three sentences."
_DEFAULT_OUT = Path("vlseg-captions")

Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        metavar="DIR",
        help="Folder of a vision-language model of transformers; repeat it for several, whose"
        " captions complement one another.",
        show_default=False,
    ),
]


def command(
    inputs: options.Inputs = None,
    models: Models = None,
    out: Annotated[Path, typer.Option(help="Folder to write to; goes on there.")] = _DEFAULT_OUT,
    prompt: Annotated[str, typer.Option(help="What the models are asked.")] = _PROMPT,
    captions: Annotated[int, typer.Option(min=1, help="Captions per picture and model.")] = 1,
    temperature: Annotated[
        float, typer.Option(min=0.01, help="How freely all but the first caption are drawn.")
    ] = 0.7,
    tokens: Annotated[int, typer.Option(min=1, help="At most so many tokens each.")] = 160,
    least_words: Annotated[int, typer.Option(min=1, help="Drop shorter captions.")] = 4,
    most_words: Annotated[int, typer.Option(min=1, help="Drop longer captions.")] = 150,
    information: Annotated[
        float, typer.Option(min=0, max=1, help="Drop captions that repeat themselves: 0 keeps all.")
    ] = 0.6,
    device: options.Device = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Label pictures with captions by models on this machine; what only supposes is left out.

    vlseg data caption photos/ --model models/internvl2-8b --model models/vila-3b
    """
    if not models:
        raise UsageError("No model is named: give --model DIR, a vision-language model's folder.")
    if not inputs:
        raise UsageError("There is no input: name pictures or folders of pictures.")
    if least_words > most_words:
        raise UsageError("--least-words is above --most-words: no caption could be kept.")
    from vlseg_cli.cli.console import Console
    from vlseg_cli.datasets.captions import CaptionRules
    from vlseg_cli.jobs.captioning import CaptionFile, caption_pictures
    from vlseg_cli.media import list_inputs

    images = [one.source for one in list_inputs(inputs, out) if not one.is_video]
    asked: dict[str, Any] = {
        "prompt": prompt,
        "count": captions,
        "temperature": temperature,
        "tokens": tokens,
    }
    rules = CaptionRules(least_words, most_words, information)
    kept = {"least": least_words, "most": most_words, "information": information}
    file = CaptionFile(out, asked | kept, overwrite)
    console = Console(quiet)
    tally = _CaptionCounter(console)
    for folder in models:
        left = [image for image in images if not file.has(str(folder), image)]
        if not left:
            continue  # without loading a model for nothing
        from vlseg_cli.models.captioner import Captioner

        captioner = Captioner(folder, device)
        describe = partial(captioner.describe, **asked)
        caption_pictures(file, str(folder), describe, left, rules, tally.count)
    console.note(
        f"{tally.captions:,} captions written, {tally.refused:,} refused; {file.path} holds"
        f" {len(file):,} pictures' by {len(models)} models."
    )
    if tally.failed:
        raise typer.Exit(InputError.exit_code)


class _CaptionCounter:
    """What came of a run, told as it comes."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        self.captions = self.refused = self.failed = 0

    def count(self, told: "CaptionedImage | InputError") -> None:
        """One more picture."""
        if isinstance(told, InputError):
            self.failed += 1
            self.console.note(str(told))
        else:
            self.captions += len(told.captions)
            self.refused += told.refused
            said = " | ".join(told.captions) or "nothing worth keeping"
            self.console.note(f"{told.image}: {said}")
