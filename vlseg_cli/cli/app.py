"""The ``vlseg`` command: a table of subcommands, each imported only when it is called.

``vlseg --help`` needs nothing but this file, so it answers before torch could even be found.
"""

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from vlseg_cli import __version__


class CommandEntry(NamedTuple):
    """A line of the help; the subcommand is ``command`` in the file of its name."""

    panel: str
    help: str


MAIN, TALK, DATA, JOBS, SETUP = "Commands", "Talk", "Data", "Jobs", "Setup"

COMMANDS: dict[str, CommandEntry] = {
    "segment": CommandEntry(MAIN, "Segment everything, or what you name or point at."),
    "refer": CommandEntry(MAIN, "Find what an expression describes: 'the small red car'."),
    "reason": CommandEntry(MAIN, "Find what answers a question: 'what keeps food cold?'."),
    "track": CommandEntry(
        MAIN, "Follow things through videos: described, asked for, named, pointed at."
    ),
    "detect": CommandEntry(MAIN, "Find objects and their boxes."),
    "train": CommandEntry(MAIN, "Train a model from a recipe."),
    "eval": CommandEntry(MAIN, "Score a model on benchmarks."),
    "chat": CommandEntry(TALK, "Ask about a picture in a conversation, in words and masks."),
    "world": CommandEntry(DATA, "Draw scenes with their whole truth, in standard formats."),
    "data": CommandEntry(
        DATA, "Check data, draw specimens of it, or label pictures with captions."
    ),
    "schema": CommandEntry(
        DATA, "Print the JSON Schema of a recipe, a prompts file's row or a record."
    ),
    "status": CommandEntry(JOBS, "Say how far a job is."),
    "retry": CommandEntry(JOBS, "Try the failed inputs of a job again."),
    "merge": CommandEntry(JOBS, "Join the folders of a job that ran in shares."),
    "export": CommandEntry(JOBS, "Make more formats of a job's answers, or ONNX graphs of a SAM."),
    "plan": CommandEntry(JOBS, "Say beforehand what a job would take: time, disk, memory."),
    "weights": CommandEntry(SETUP, "Fetch, check and convert published weights."),
    "doctor": CommandEntry(SETUP, "Check the environment, device, codecs and weights."),
}


class LazyGroup(TyperGroup):
    """Imports a subcommand's file when the command line has named it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the named entry (or suggest the nearest) and put the real command in its place."""
        name, entry, rest = super().resolve_command(ctx, args)
        return name, load(entry.name) if entry and entry.name else entry, rest


def load(name: str) -> Any:
    """Import the subcommand ``name`` and build its parser; ``VERBS`` make it a group."""
    module = import_module(f"vlseg_cli.cli.{name}")
    typed = typer.Typer(name=name, add_completion=False, rich_markup_mode="rich")
    if hasattr(module, "VERBS"):
        typed.callback(help=module.__doc__)(_entry)
        for verb, command in module.VERBS.items():
            typed.command(verb)(command)
    else:
        settings = getattr(module, "CONTEXT", None)
        typed.command(name, context_settings=settings)(module.command)
    return get_command(typed)


def _main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="With --version: of everything that vlseg uses.")
    ] = False,
) -> None:
    """Segment images and videos from words: what you name, describe, ask about or point at."""
    if not version:
        if context.invoked_subcommand is None:
            raise typer.BadParameter("name a command, or add --version.", context)
        return
    print(f"vlseg {__version__}")
    if verbose:
        from vlseg_cli.cli.checks import examine
        from vlseg_cli.cli.doctor import show
        from vlseg_cli.cli.options import DEFAULT_OUT

        show("environment", examine("environment", DEFAULT_OUT))
    raise typer.Exit


def _entry() -> None:
    """Stands for a subcommand in the help."""


def _build() -> Any:
    group = typer.Typer(
        cls=LazyGroup,
        rich_markup_mode="rich",
        epilog="--debug, anywhere, shows the traceback of an error.",
    )
    group.callback(invoke_without_command=True)(_main)
    for name, entry in COMMANDS.items():
        group.command(name, help=entry.help, rich_help_panel=entry.panel)(_entry)
    return get_command(group)


app = _build()
