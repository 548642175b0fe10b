"""`vlseg doctor` reports what is installed, what is missing, and the remedy."""

import json
import os
from pathlib import Path

import pytest

from vlseg_cli.cli.checks import CheckFinding, CheckState
from vlseg_cli.cli.doctor import AREAS, run_check


def test_nothing_is_broken_on_this_machine(vlseg) -> None:
    ran = vlseg("doctor")
    assert (ran.code, ran.err) == (0, "")
    positions = [ran.out.index(f"{area}\n") for area in AREAS]
    assert positions == sorted(positions)
    for line in ran.out.splitlines():
        assert line in AREAS or line.split()[0] in ("ok", "warning")


def test_a_broken_finding_ends_with_1(
    vlseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlseg_cli.weights.resolve.EMBEDDED", tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    ran = vlseg("doctor", "--json", "--out", "results")
    assert ran.code == 1 and "hf_secret" not in ran.out
    report = json.loads(ran.out)
    assert not report["ok"]
    (finding,) = report["weights"]
    assert finding["state"] == "broken" and finding["mend"]
    assert "for results" in report["machine"][-1]["found"]
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_fails_is_a_finding() -> None:
    def failing():
        yield CheckFinding("one", "fine")
        raise RuntimeError("two\nlines")

    one, two = run_check("codecs", failing)
    assert (one.state, two.state) == (CheckState.OK, CheckState.BROKEN)
    assert "RuntimeError: two lines" in two.found and two.remedy


def test_output_of_libraries_on_stderr_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    def noisy():
        os.write(2, b"from C")
        yield CheckFinding("one", "fine")

    run_check("codecs", noisy)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
