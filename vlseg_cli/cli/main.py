"""From a command line to an exit code: every expected error becomes one sentence on stderr."""

import sys
import traceback
from collections.abc import Sequence

from typer import TyperException

from vlseg_cli.cli.app import app
from vlseg_cli.cli.wording import printable

_INTERRUPTED = 130
_OUT_OF_MEMORY = 6


def run(arguments: Sequence[str]) -> int:
    """Run one command line. ``--debug`` may stand anywhere in it and shows tracebacks."""
    debug = "--debug" in arguments
    wanted = [word for word in arguments if word != "--debug"] or ["--help"]
    try:
        result = app(wanted, prog_name="vlseg", standalone_mode=False)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _explain(error)
    except KeyboardInterrupt:
        result = _INTERRUPTED
    return result or 0


def _explain(error: Exception) -> int:
    """Say what went wrong in one sentence; returns the exit code."""
    from vlseg_cli.schema.errors import VlsegError

    if isinstance(error, VlsegError):
        code, sentence = error.exit_code, str(error)
    elif isinstance(error, TyperException):  # a command line that cannot be parsed
        code, sentence = error.exit_code, _usage_sentence(error)
    elif isinstance(error, MemoryError):
        code = _OUT_OF_MEMORY
        sentence = "There is not enough memory: close other programs or take smaller inputs."
    else:
        kind = type(error).__name__
        words = " ".join(str(error).split())
        code, sentence = 1, f"Unexpected {kind}: {words} (add --debug for the traceback)."
    print(f"vlseg: {printable(sentence)}", file=sys.stderr)
    return code


def _usage_sentence(error: TyperException) -> str:
    """The parser's own words on one line, and where to read more."""
    words = " ".join(error.format_message().split()).replace("Value error, ", "")
    end = "" if words.endswith(("?", ".")) else "."
    context = getattr(error, "ctx", None)
    return words + end + (f" Try '{context.command_path} --help'." if context else "")
