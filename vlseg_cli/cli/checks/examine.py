"""Going through the areas one by one; what cannot even be examined is a finding, too."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from vlseg_cli.cli.checks.codecs import codecs
from vlseg_cli.cli.checks.environment import environment, weights
from vlseg_cli.cli.checks.finding import CheckFinding, broken
from vlseg_cli.cli.checks.machine import device, machine, variables

AREAS = ("environment", "machine", "device", "codecs", "weights", "variables")


def examine(area: str, out: Path) -> list[CheckFinding]:
    """Everything about one of AREAS. out: the folder that results would go to."""
    checks: dict[str, Callable[[], Iterator[CheckFinding]]] = {
        "environment": environment,
        "machine": partial(machine, out),
        "device": device,
        "codecs": codecs,
        "weights": weights,
        "variables": partial(variables, os.environ),
    }
    return run_check(area, checks[area])


def run_check(area: str, check: Callable[[], Iterator[CheckFinding]]) -> list[CheckFinding]:
    """Its findings; whatever it runs into is the last of them."""
    findings: list[CheckFinding] = []
    try:
        with _silence():
            findings.extend(check())
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        mend = "Install vlseg again in a fresh environment; if it stays, report it with this line."
        findings.append(broken(area, f"cannot be examined ({reason})", mend))
    return findings


@contextmanager
def _silence() -> Iterator[None]:
    """Encoders and drivers write to stderr from C, past Python; a report has no room for that."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
