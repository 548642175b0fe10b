"""The ``vlseg`` command: a table of subcommands, and every expected error as one sentence.

A subcommand's file is imported only when the command line names it, so ``vlseg --help`` needs
nothing but this file. Exit codes are those of ``schema.errors``.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer import TyperException
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from vlseg_cli import __version__

_INTERRUPTED = 130
_CANNOT_WRITE = 74  # as OutputError


class CommandEntry(NamedTuple):
    """A line of the help; the subcommand is ``command`` in the file of its name.

    file: of a subcommand that shares it with others; there it is the function of its name.
    """

    panel: str
    help: str
    file: str = ""


MAIN, TALK, DATA, JOBS, SETUP = "Commands", "Talk", "Data", "Jobs", "Setup"

COMMANDS: dict[str, CommandEntry] = {
    "segment": CommandEntry(MAIN, "Segment everything, named categories, or given regions."),
    "refer": CommandEntry(
        MAIN, "Segment what an expression describes: 'the small red car'.", "refer"
    ),
    "reason": CommandEntry(
        MAIN, "Segment what answers a question: 'what keeps food cold?'.", "refer"
    ),
    "track": CommandEntry(
        MAIN, "Track objects through videos, by expression, question, name or region."
    ),
    "detect": CommandEntry(MAIN, "Detect objects and their boxes."),
    "train": CommandEntry(MAIN, "Train a model from a recipe."),
    "eval": CommandEntry(MAIN, "Score a model on benchmarks."),
    "chat": CommandEntry(TALK, "Ask questions about an image; text and masks."),
    "world": CommandEntry(DATA, "Draw synthetic scenes with ground truth, in standard formats."),
    "data": CommandEntry(DATA, "Check data sets, write toy ones, or caption images."),
    "schema": CommandEntry(
        DATA, "Print the JSON Schema of a recipe, a prompts file's row or a record."
    ),
    "status": CommandEntry(JOBS, "Show the progress of a job.", "job_folder"),
    "retry": CommandEntry(JOBS, "Process the failed inputs of a job again.", "job_folder"),
    "merge": CommandEntry(JOBS, "Merge the folders of a job that ran in shards.", "job_folder"),
    "export": CommandEntry(JOBS, "Write more formats of a job's results, or ONNX graphs of a SAM."),
    "plan": CommandEntry(JOBS, "Estimate time, disk and memory of a job."),
    "weights": CommandEntry(SETUP, "Fetch, check and convert published weights."),
    "doctor": CommandEntry(SETUP, "Check the environment, device, codecs and weights."),
}


class _PlainFlags:
    """Help without the type of flags, which take no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class _Command(_PlainFlags, TyperCommand):
    pass


class _Group(_PlainFlags, TyperGroup):
    pass


class LazyGroup(_Group):
    """Imports a subcommand's file when the command line names it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the named entry (or suggest the nearest) and return the command behind it."""
        name, entry, rest = super().resolve_command(ctx, args)
        return name, load(entry.name) if entry and entry.name else entry, rest


def load(name: str) -> Any:
    """Import the subcommand ``name`` and build its parser.

    A module with ``VERBS`` is a group of commands; ``HIDDEN`` are older spellings of some.
    """
    file = COMMANDS[name].file
    module = import_module(f"vlseg_cli.cli.{file or name}")
    command = typer.Typer(name=name, cls=_Group, add_completion=False, rich_markup_mode="rich")
    if hasattr(module, "VERBS"):
        command.callback(help=module.__doc__)(_placeholder)
        for verb, function in module.VERBS.items():
            command.command(verb, cls=_Command)(function)
        for verb, function in getattr(module, "HIDDEN", {}).items():
            command.command(verb, cls=_Command, hidden=True)(function)
    else:
        settings = getattr(module, "CONTEXT", None)
        function = getattr(module, name) if file else module.command
        command.command(name, cls=_Command, context_settings=settings)(function)
    return get_command(command)


def _global_options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="With --version: of all packages that vlseg uses.")
    ] = False,
) -> None:
    """Segment images and videos by category, expression, question or region."""
    if not version:
        if context.invoked_subcommand is None:
            raise typer.BadParameter("name a command, or add --version.", context)
        return
    print(f"vlseg {__version__}")
    if verbose:
        from vlseg_cli.cli.doctor import examine, show
        from vlseg_cli.cli.options import DEFAULT_OUT

        show("environment", examine("environment", DEFAULT_OUT))
    raise typer.Exit


def _placeholder() -> None:
    """Represents a subcommand in the help."""


def _build() -> Any:
    group = typer.Typer(
        cls=LazyGroup,
        rich_markup_mode="rich",
        epilog="--debug, anywhere, shows the traceback of an error.",
    )
    group.callback(invoke_without_command=True)(_global_options)
    for name, entry in COMMANDS.items():
        group.command(name, help=entry.help, rich_help_panel=entry.panel)(_placeholder)
    return get_command(group)


app = _build()


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. ``--debug``, anywhere, shows tracebacks."""
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"] or ["--help"]
    _open_missing_streams()
    try:
        code = app(words, prog_name="vlseg", standalone_mode=False) or 0
        sys.stdout.flush()  # a full disk is reported here, not when the interpreter ends
    except SystemExit:  # the parser's, silent, when stdout has no reader
        code = _CANNOT_WRITE
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        code = _report(error)
    if code == _CANNOT_WRITE:
        _drop_output()
    return code


def _open_missing_streams() -> None:
    """Open the null device for each standard stream that was closed, as by ``>&-``.

    Else the next file that is opened takes its number, and gets what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this
            os.set_inheritable(null, True)
            setattr(sys, name, os.fdopen(null, "w" if number else "r"))


def _drop_output() -> None:
    """Drop what is left to be printed, which the interpreter would try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _report(error: Exception) -> int:
    """Print an error as one sentence; returns the exit code."""
    from vlseg_cli.cli.values import printable, shown
    from vlseg_cli.schema.errors import TooLargeError, UsageError, VlsegError

    if isinstance(error, VlsegError):
        code, sentence = error.exit_code, str(error)
    elif isinstance(error, TyperException):  # a command line that cannot be parsed
        code, sentence = error.exit_code, _usage_sentence(error)
    elif isinstance(error, MemoryError):
        code = TooLargeError.exit_code
        sentence = "There is not enough memory: close other programs or take smaller inputs."
    elif isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
        code = UsageError.exit_code
        sentence = f"There can be no file {shown(error.filename)} ({error.strerror})."
    elif isinstance(error, OSError) and error.errno:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        code = _CANNOT_WRITE
        sentence = f"A file cannot be used ({reason}): free it or its disk, or name another."
    else:
        kind, reason = type(error).__name__, " ".join(str(error).split())
        code, sentence = 1, f"Unexpected {kind}: {reason} (add --debug for the traceback)."
    print(f"vlseg: {printable(sentence)}", file=sys.stderr)
    return code


# Options of other tools, by what they are called here.
_ELSEWHERE = {
    **dict.fromkeys(("--conf", "--confidence", "--score", "--min-score"), "--threshold"),
    **dict.fromkeys(("--prompt", "--question", "--query"), "--text"),
    **dict.fromkeys(("--classes", "--labels", "--class"), "--categories"),
    **dict.fromkeys(("--output", "--project", "--output-dir"), "--out"),
    **dict.fromkeys(("--batch", "--bs"), "--batch-size"),
    **dict.fromkeys(("--weights", "--checkpoint"), "--model"),
    **dict.fromkeys(("--vid-stride", "--every"), "--stride"),
}


def _usage_sentence(error: TyperException) -> str:
    """The parser's message on one line, with the command whose help to read."""
    message = " ".join(error.format_message().split()).replace("Value error, ", "")
    option: str = getattr(error, "option_name", "")
    if option in _ELSEWHERE:
        message = f"There is no option {option}; did you mean {_ELSEWHERE[option]}?"
    end = "" if message.endswith(("?", ".")) else "."
    context = getattr(error, "ctx", None)
    return message + end + (f" Try '{context.command_path} --help'." if context else "")
