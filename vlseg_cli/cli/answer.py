"""What segment, refer, reason and detect share: find the inputs, load, ask, write and show."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.model import load
from vlseg_cli.cli.options import parse_formats
from vlseg_cli.jobs import Failed, Outcome, run_images
from vlseg_cli.media import find_inputs
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.outputs import OutputFolder, open_sinks, record_line
from vlseg_cli.schema import Ask, Frame


@dataclass(frozen=True, slots=True)
class Choices:
    """The shared options, as typed in. has_map: whether the task makes panoptic maps."""

    model: str | None
    device: str | None
    out: Path
    save: str
    as_json: bool
    quiet: bool
    has_map: bool = False


def answer(
    paths: Sequence[str],
    ask: Callable[[Segmenter, Frame], Sequence[Ask]],
    choices: Choices,
    texts: Sequence[str] = (),
) -> None:
    """Run one image command from beginning to end.

    ask: what to ask about a frame. texts: what the user typed of it, in words. Raises typer.Exit
    if some inputs failed, and every VlsegError for what cannot be begun at all.
    """
    formats = parse_formats(choices.save, choices.has_map)
    inputs = find_inputs(paths, exclude=choices.out)
    folder = OutputFolder(choices.out)
    if formats:
        folder.make()  # before the model is loaded: a wrong --out is said at once
    console = Console(choices.quiet)
    model = load(choices.model, choices.device, console)
    _warn_of_unknown(texts, model, console)
    sinks = open_sinks(formats, folder)
    with console.progress(len(inputs), "images") as advance:

        def report(outcome: Outcome) -> None:
            _report(outcome, console, choices.as_json, in_full=len(inputs) == 1)
            advance()

        failures = run_images(inputs, partial(ask, model), model, folder, sinks, report)
    _sum_up(console, choices.out, formats, len(inputs), len(failures))
    if failures:
        raise typer.Exit(_exit_code(failures, len(inputs)))


def _warn_of_unknown(texts: Sequence[str], model: Segmenter, console: Console) -> None:
    """A word that the model never met is no error, but its user should know."""
    unknown = list(dict.fromkeys(word for text in texts for word in model.unknown_words(text)))
    if unknown:
        words = ", ".join(repr(word) for word in unknown)
        console.note(f"This model does not know {words}; it answers from the other words.")


def _report(outcome: Outcome, console: Console, as_json: bool, in_full: bool) -> None:
    if isinstance(outcome, Failed):
        console.error(str(outcome.error))
        return
    for prediction in outcome.predictions:
        console.show(prediction, in_full)
        if as_json:
            print(record_line(prediction), file=sys.stdout, flush=True)


def _sum_up(console: Console, out: Path, formats: Sequence[str], total: int, failed: int) -> None:
    if failed and total > 1:
        console.note(f"{failed} of {total} inputs failed; they are listed in {out}/failures.jsonl.")
    if formats and failed < total:
        console.note(f"Saved in {out}: {', '.join(formats)}.")


def _exit_code(failures: Sequence[Failed], total: int) -> int:
    """The only input's own code (a prompt outside the picture is a usage error), else 3."""
    return failures[0].error.exit_code if total == 1 else 3
