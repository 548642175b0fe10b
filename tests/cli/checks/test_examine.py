"""A report goes on whatever a check runs into, and nothing is written past it."""

import os

import pytest

from vlseg_cli.cli.checks import CheckFinding, CheckState
from vlseg_cli.cli.checks.examine import run_check


def test_a_check_that_fails_is_a_finding() -> None:
    def failing():
        yield CheckFinding("one", "fine")
        raise RuntimeError("two\nlines")

    one, two = run_check("codecs", failing)
    assert (one.state, two.state) == (CheckState.OK, CheckState.BROKEN)
    assert "RuntimeError: two lines" in two.found and two.mend


def test_what_libraries_write_to_stderr_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    def noisy():
        os.write(2, b"from C")
        yield CheckFinding("one", "fine")

    run_check("codecs", noisy)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
