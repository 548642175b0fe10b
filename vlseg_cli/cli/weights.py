"""Fetch, check and convert published weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.schema.errors import UsageError
from vlseg_cli.weights.catalog import CatalogEntry, catalog, facts, find_entry, find_published
from vlseg_cli.weights.digest import remember_digests
from vlseg_cli.weights.pins import lock_file, read_pin
from vlseg_cli.weights.resolve import folder_of, stage

if TYPE_CHECKING:
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.pins import Pin


Name = Annotated[str, typer.Argument(help="A name of 'vlseg weights list'.", show_default=False)]
Source = Annotated[
    str, typer.Argument(help="A name, or a folder as its authors publish it.", show_default=False)
]


def list_names() -> None:
    """List the weights that vlseg knows by name."""
    # A plain line per name, which other programs can read: state, size, role, title.
    width = max(map(len, catalog()))
    for name, entry in catalog().items():
        size = in_bytes(entry.gigabytes) if entry.gigabytes else ""
        here = _here(name, entry)
        print(f"{name:<{width}}  {here:<9}  {size:>8}  {entry.role:<5}  {entry.title}")


def show(name: Name) -> None:
    """Show all that is known of a name."""
    entry = find_entry(name)
    for key, value in facts(entry).items():
        print(f"{key:<12}  {_text(value)}")
    print(f"{'here':<12}  {_here(name, entry)}")
    if pin := read_pin(lock_file(name)):
        print(f"{'pinned':<12}  {pin.source} {pin.commit}".rstrip())


def in_bytes(gigabytes: float) -> str:
    """'3.2 GB', '13 MB'."""
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"


def _here(name: str, entry: CatalogEntry) -> str:
    return "embedded" if entry.format == "vlseg" else stage(name)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:g}" for key, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def pull(
    name: Name,
    url: Annotated[str, typer.Option(help="URL of the file, for a name without one.")] = "",
    update: Annotated[
        bool,
        typer.Option("--update", help="Fetch what is published now instead of what was pinned."),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Fetch weights, check them, and convert them if this version can use them.

    What was fetched first is pinned, and checked ever after. Pulling again resumes.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.pull import pull as fetch_all

    entry, console = find_published(name), Console(quiet)
    usable = entry.role == "model"
    got = fetch_all(name, entry, console.download, update, url, room=2 if usable else 1)
    console.note(
        f"{name}: {got.files} files in {got.folder}, {got.fetched} of them fetched"
        + (f", commit {got.pin.commit[:12]}" if got.pin.commit else "")
    )
    remember_digests(got.folder, _pinned(got.folder, got.pin))
    if usable and (got.fetched or stage(name) != "converted"):
        _convert(name, console)


def verify(
    source: Source,
    quiet: options.Quiet = False,
) -> None:
    """Check files against their pins, that every tensor fits, and that one forward pass works.

    A folder that has no name has no pins.
    """
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.pins import official_folder
    from vlseg_cli.weights.pins import verify as check

    console, folder = Console(quiet), Path(source).expanduser()
    if source in catalog() or not folder.is_dir():
        entry, folder = find_published(source), official_folder(source)
        pin = check(source)
        console.note(f"{source}: all {len(pin.files)} files are as pinned")
        remember_digests(folder, _pinned(folder, pin))
        if entry.role == "base":
            return
    from vlseg_cli.models.convert import check_folder

    official = check_folder(folder)
    for line in official.coverage.lines():
        console.note(f"  {line}")
    _run_forward_pass(source, folder, console)


def convert(
    source: Source,
    out: Annotated[Path | None, typer.Argument(help="Folder to write; a name needs none.")] = None,
    quiet: options.Quiet = False,
) -> None:
    """Convert published weights to a model folder of ours, or say which tensor does not fit."""
    from vlseg_cli.cli.console import Console

    console = Console(quiet)
    if source in catalog():
        _convert(source, console, out)
        return
    if out is None:
        raise UsageError(f"Say where to write: vlseg weights convert {source} OUT.")
    from vlseg_cli.models.convert import convert_folder

    coverage = convert_folder(Path(source).expanduser(), out, {"source": Path(source).name})
    _report(out, coverage.lines(), console)


def path(name: Name) -> None:
    """Print the folder that --model NAME reads, whether or not its files are there yet."""
    find_entry(name)
    print(folder_of(name))


def rm(name: Name, quiet: options.Quiet = False) -> None:
    """Delete the files of a name; what was pinned is remembered."""
    from vlseg_cli.cli.console import Console
    from vlseg_cli.weights.pins import remove

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


def _run_forward_pass(name: str, folder: Path, console: "Console") -> None:
    """Raises NotFiniteError if a prediction of the model is NaN or infinite."""
    import numpy as np

    from vlseg_cli.models.registry import load_model
    from vlseg_cli.schema import Expression, Frame, PromptRequest, Task

    model = load_model(str(folder))
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    request = PromptRequest(0, Task.REFER, Expression("the cup"))
    model.predict(model.encode([Frame(noise, "noise")]), [request])
    console.note(f"{name}: one forward pass, all outputs finite")


def _convert(name: str, console: "Console", out: Path | None = None) -> None:
    from vlseg_cli.models.convert import convert_folder
    from vlseg_cli.models.registry import require_model
    from vlseg_cli.weights.pins import converted_folder, official_folder
    from vlseg_cli.weights.pins import verify as check

    find_published(name)
    require_model(name)
    pin = check(name)
    files = {file: pinned.sha256 for file, pinned in pin.files.items()}
    provenance = {"source": pin.source, "commit": pin.commit, "files": files}
    target = out or converted_folder(name)
    coverage = convert_folder(official_folder(name), target, provenance)
    remember_digests(target)
    _report(target, coverage.lines(), console)


def _pinned(folder: Path, pin: "Pin") -> dict[Path, str]:
    return {folder / path: file.sha256 for path, file in pin.files.items()}


def _report(target: Path, lines: list[str], console: "Console") -> None:
    console.note(f"converted to {target}")
    for line in lines:
        console.note(f"  {line}")
