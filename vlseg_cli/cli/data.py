"""Check data sets, write toy ones, or caption images."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vlseg_cli.cli import options
from vlseg_cli.schema import InputError, NoInputError, UsageError

if TYPE_CHECKING:
    from vlseg_cli.cli.console import Console
    from vlseg_cli.datasets.captions import CaptionedImage
    from vlseg_cli.evaluation.data_check import DatasetFinding

_DAMAGED, _NOTHING = InputError.exit_code, NoInputError.exit_code

Benchmarks = Annotated[
    list[str] | None,
    typer.Option("--benchmark", metavar="NAME", help="A name of 'vlseg eval --list'. Repeatable."),
]


def check(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data sets.")],
    names: Benchmarks = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Read every sample, not only the annotations.")
    ] = False,
    as_json: options.ReportJSON = False,
    quiet: options.Quiet = False,
) -> None:
    """Report which benchmarks' data is complete, missing or damaged.

    Exit code 0: there is data and nothing is damaged; 3: something is damaged; 4: there is no data,
    or not all of --benchmark.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.evaluation.benchmarks.table import BENCHMARKS, find_benchmarks
    from vlseg_cli.evaluation.data_check import check_data

    if not data.is_dir():
        raise NoInputError(f"There is no folder {data}: give the one that holds the data sets.")
    console = Console(quiet)
    wanted = find_benchmarks(names or BENCHMARKS)
    findings = []
    for finding in check_data(wanted, data, thorough):
        findings.append(finding)
        if finding.state != "missing" or names:
            for line in lines(finding):
                console.note(line)
    missing = [one.benchmark for one in findings if one.state == "missing"]
    if missing and not names:
        console.note(f"missing: {', '.join(missing)}")
    if as_json:
        print(json.dumps([asdict(one) for one in findings]))
    if any(one.state == "damaged" for one in findings):
        raise typer.Exit(_DAMAGED)
    if missing and (names or len(missing) == len(findings)):
        raise typer.Exit(_NOTHING)


def lines(finding: "DatasetFinding") -> Iterator[str]:
    """A finding as lines of text: the counts, then the problems."""
    whole = f" of {finding.published:,}" if finding.published else ""
    count = f", {finding.samples:,}{whole} samples" if finding.samples else ""
    yield f"{finding.benchmark}: {finding.state}{count}"
    for problem in finding.problems:
        yield f"  {problem}"
    if finding.faulty > len(finding.problems):
        yield f"  and {finding.faulty - len(finding.problems):,} more"


def toy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
    names: Annotated[
        list[str], typer.Argument(metavar="BENCHMARK...", help="Names of 'vlseg eval --list'.")
    ],
    scenes: Annotated[int, typer.Option(min=1, help="Number of scenes or clips of each.")] = 12,
    quiet: options.Quiet = False,
) -> None:
    """Write small synthetic data sets in the published form, to try benchmarks without their data.

    vlseg data toy try/ refcoco-val; vlseg eval refcoco-val --data try/
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.evaluation.benchmarks.table import find_benchmarks, write_toy_sets
    from vlseg_cli.outputs import OutputFolder

    found = find_benchmarks(names)
    OutputFolder(folder).make()
    write_toy_sets(found, folder, scenes)
    Console(quiet).note(f"Drew {', '.join(one.name for one in found)} into {folder}.")


def caption(
    inputs: options.Inputs = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="Folder of a vision-language model of transformers; repeat it for several, whose"
            " captions complement one another.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to; a later run resumes it.")] = Path(
        "vlseg-captions"
    ),
    prompt: Annotated[str, typer.Option(help="Prompt of the models.")] = (
        "Describe the image in two or three sentences."
    ),
    captions: Annotated[int, typer.Option(min=1, help="Captions per image and model.")] = 1,
    temperature: Annotated[
        float, typer.Option(min=0.01, help="Sampling temperature of all but the first caption.")
    ] = 0.7,
    tokens: Annotated[int, typer.Option(min=1, help="Maximum tokens of each.")] = 160,
    least_words: Annotated[int, typer.Option(min=1, help="Drop shorter captions.")] = 4,
    most_words: Annotated[int, typer.Option(min=1, help="Drop longer captions.")] = 150,
    information: Annotated[
        float, typer.Option(min=0, max=1, help="Drop repetitive captions: 0 keeps all.")
    ] = 0.6,
    device: options.Device = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Caption images with local models, as MVP-LM's training needs; speculation is left out.

    vlseg data caption photos/ --model models/internvl2-8b --model models/vila-3b
    """
    if not models:
        raise UsageError("No model is named: give --model DIR, a vision-language model's folder.")
    if not inputs:
        raise UsageError("There is no input: name images or folders of images.")
    if least_words > most_words:
        raise UsageError("--least-words is above --most-words: no caption could be kept.")
    from vlseg_cli.cli.console import Console
    from vlseg_cli.datasets.captions import CaptionRules
    from vlseg_cli.jobs.captioning import CaptionFile, caption_images
    from vlseg_cli.media import list_inputs

    images = [one.source for one in list_inputs(inputs, out) if not one.is_video]
    sampling: dict[str, Any] = {
        "prompt": prompt,
        "count": captions,
        "temperature": temperature,
        "tokens": tokens,
    }
    rules = {"least": least_words, "most": most_words, "information": information}
    file = CaptionFile(out, sampling | rules, overwrite)
    console = Console(quiet)
    counter = _CaptionCounter(console)
    for folder in models:
        left = [image for image in images if not file.has(str(folder), image)]
        if not left:
            continue  # do not load the model
        from vlseg_cli.models.captioner import Captioner

        describe = partial(Captioner(folder, device).describe, **sampling)
        rule = CaptionRules(least_words, most_words, information)
        caption_images(file, str(folder), describe, left, rule, counter.report)
    console.note(
        f"{counter.captions:,} captions written, {counter.refused:,} refused; {file.path} holds"
        f" those of {len(file):,} images by {len(models)} models."
    )
    if counter.failed:
        raise typer.Exit(InputError.exit_code)


class _CaptionCounter:
    """Prints and counts the captions of a run."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        self.captions = self.refused = self.failed = 0

    def report(self, captioned: "CaptionedImage | InputError") -> None:
        """One more image."""
        if isinstance(captioned, InputError):
            self.failed += 1
            self.console.note(str(captioned))
        else:
            self.captions += len(captioned.captions)
            self.refused += captioned.refused
            text = " | ".join(captioned.captions) or "no caption was kept"
            self.console.note(f"{captioned.image}: {text}")


VERBS = {"check": check, "toy": toy, "caption": caption}
HIDDEN = {"specimen": toy}
