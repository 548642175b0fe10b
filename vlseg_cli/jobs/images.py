"""A run over images: read, look once, answer every prompt, write.

A broken image is one line in ``failures.jsonl`` and the run goes on; what the model or the disk
cannot do ends the run, since it would end every other image too.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.media import read_image
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.outputs import OutputFolder, Sink
from vlseg_cli.schema import Ask, Frame, InputError, Prediction, UsageError

FAILURES = "failures.jsonl"

# What to ask about a frame; region prompts depend on its size and may raise UsageError.
AskAbout = Callable[[Frame], Sequence[Ask]]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """One image and everything said about it."""

    frame: Frame
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """One image that could not be read, or that the prompt does not fit."""

    path: Path
    error: InputError | UsageError


Outcome = Answered | Failed


def run_images(
    inputs: Sequence[Path],
    ask: AskAbout,
    model: Segmenter,
    folder: OutputFolder,
    sinks: Sequence[Sink],
    report: Callable[[Outcome], None],
) -> list[Failed]:
    """Answer all inputs in order, write each to every sink, and return those that failed.

    report: called after each input. Sinks are closed however the run ends, so that what was done
    is kept. Raises OutputError if a result cannot be written.
    """
    failures: list[Failed] = []
    with ExitStack() as stack:
        stack.callback(_write_failures, folder, failures)
        for sink in sinks:
            stack.callback(sink.close)
        for path, outcome in zip(inputs, answer_images(inputs, ask, model), strict=True):
            name = folder.name_for(str(path))  # failures too: names depend on the inputs alone
            if isinstance(outcome, Failed):
                failures.append(outcome)
            else:
                for sink in sinks:
                    sink.write(outcome.frame, name, outcome.predictions)
            report(outcome)
    return failures


def answer_images(inputs: Sequence[Path], ask: AskAbout, model: Segmenter) -> Iterator[Outcome]:
    """Yield the outcome of each input in turn; only one image is in memory at a time."""
    for path in inputs:
        try:
            frame = read_image(path)
            asks = ask(frame)
        except (InputError, UsageError) as error:
            yield Failed(path, error)
            continue
        yield Answered(frame, tuple(model.answer(model.encode([frame]), asks)))


def _write_failures(folder: OutputFolder, failures: Sequence[Failed]) -> None:
    """List what failed in this run; the list of an earlier run would mislead."""
    if not failures:
        folder.remove(FAILURES)
        return
    lines = (json.dumps({"input": str(one.path), "error": str(one.error)}) for one in failures)
    folder.write("".join(line + "\n" for line in lines).encode(), FAILURES)
