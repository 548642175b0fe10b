"""Fetch, check and convert published weights.

The only command that uses the network: list, show and path never do, pull alone fetches.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.schema.errors import UsageError

if TYPE_CHECKING:
    from vlseg_cli.cli.console import Console

Name = Annotated[str, typer.Argument(help="A name of 'vlseg weights list'.", show_default=False)]


def list_names() -> None:
    """List the weights that vlseg knows by name."""
    from vlseg_cli.cli.weights_words import table

    for line in table():
        print(line)


def show(name: Name) -> None:
    """Show all that is known of a name."""
    from vlseg_cli.cli.weights_words import description

    for line in description(name):
        print(line)


def pull(
    name: Name,
    url: Annotated[str, typer.Option(help="Address of the file, for a name without one.")] = "",
    update: Annotated[
        bool, typer.Option("--update", help="Take what is published now, not what was pinned.")
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Fetch weights, check them, and convert them if this version can use them.

    What was fetched first is pinned, and checked ever after. Pulling again goes on after a break.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.catalogue import find_published
    from vlseg_cli.weights.pull import pull as fetch_all
    from vlseg_cli.weights.resolve import stage

    entry, console = find_published(name), Console(quiet)
    usable = entry.role == "model"
    got = fetch_all(name, entry, console.download, update, url, room=2 if usable else 1)
    console.note(
        f"{name}: {got.files} files in {got.folder}, {got.fetched} of them fetched"
        + (f", commit {got.pin.commit[:12]}" if got.pin.commit else "")
    )
    if usable and (got.fetched or stage(name) != "converted"):
        _convert(name, console)


def verify(
    source: Annotated[str, typer.Argument(help="A name, or a folder as its authors publish it.")],
    goldens: Annotated[
        Path | None,
        typer.Option(
            help="Folder of golden files: what the authors' code computed.",
            show_default="those that come with vlseg",
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Check files against what was pinned, that every tensor fits, and that our modules compute.

    They are compared, at every stage, with what the authors' own code computed from a miniature. Of
    a folder that has no name nothing was pinned.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.catalogue import catalogue, find_published
    from vlseg_cli.weights.places import official_folder
    from vlseg_cli.weights.pull import verify as check

    console, folder = Console(quiet), Path(source).expanduser()
    if source in catalogue() or not folder.is_dir():
        entry, folder = find_published(source), official_folder(source)
        console.note(f"{source}: all {len(check(source).files)} files are as pinned")
        if entry.role == "base":
            return
    from vlseg_cli.models.official.convert import check_folder

    official = check_folder(folder)
    for line in official.coverage.lines():
        console.note(f"  {line}")
    _compare(source, official.architecture, goldens, console)


def convert(
    source: Annotated[str, typer.Argument(help="A name, or a folder as its authors publish it.")],
    out: Annotated[Path | None, typer.Argument(help="Folder to write; a name needs none.")] = None,
    quiet: options.Quiet = False,
) -> None:
    """Convert published weights to a model folder of ours, or say which tensor does not fit."""
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.catalogue import catalogue

    console = Console(quiet)
    if source in catalogue():
        _convert(source, console, out)
        return
    if out is None:
        raise UsageError(f"Say where to write: vlseg weights convert {source} OUT.")
    from vlseg_cli.models.official.convert import convert_folder

    coverage = convert_folder(Path(source).expanduser(), out, {"source": Path(source).name})
    _tell(out, coverage.lines(), console)


def path(name: Name) -> None:
    """Print the folder that --model NAME reads."""
    from vlseg_cli.weights.catalogue import find_entry
    from vlseg_cli.weights.resolve import published_folder

    find_entry(name)
    print(published_folder(name))


def rm(name: Name, quiet: options.Quiet = False) -> None:
    """Delete the files of a name; what was pinned is remembered."""
    from vlseg_cli.cli.console import Console
    from vlseg_cli.cli.weights_words import in_bytes
    from vlseg_cli.weights.catalogue import find_published
    from vlseg_cli.weights.pull import remove

    find_published(name)
    Console(quiet).note(f"{name}: {in_bytes(remove(name) / 1e9)} freed")


VERBS = {
    "list": list_names,
    "show": show,
    "pull": pull,
    "verify": verify,
    "convert": convert,
    "path": path,
    "rm": rm,
}


def _compare(name: str, architecture: str, goldens: Path | None, console: "Console") -> None:
    from vlseg_cli.models.parity.check import check_parity

    for golden in check_parity(architecture, goldens):
        worst = max(golden.compared.values(), default=0)
        console.note(
            f"{name}: all {len(golden.compared)} outputs of the authors' code in "
            f"{golden.path.name} agree, within {worst:.0%} of what rounding allows"
        )


def _convert(name: str, console: "Console", out: Path | None = None) -> None:
    from vlseg_cli.models.official.convert import convert_folder
    from vlseg_cli.models.registry import require_model
    from vlseg_cli.weights.catalogue import find_published
    from vlseg_cli.weights.places import converted_folder, official_folder
    from vlseg_cli.weights.pull import verify as check

    find_published(name)
    require_model(name)
    pin = check(name)
    files = {file: pinned.sha256 for file, pinned in pin.files.items()}
    provenance = {"source": pin.source, "commit": pin.commit, "files": files}
    target = out or converted_folder(name)
    coverage = convert_folder(official_folder(name), target, provenance)
    _tell(target, coverage.lines(), console)


def _tell(target: Path, lines: list[str], console: "Console") -> None:
    console.note(f"converted to {target}")
    for line in lines:
        console.note(f"  {line}")
