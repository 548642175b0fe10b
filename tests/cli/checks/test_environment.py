"""Packages are compared with the requirements of vlseg; codecs are tried."""

import hashlib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from vlseg_cli.cli.checks import CheckState
from vlseg_cli.cli.checks.environment import codec_finding, codecs, package, weights
from vlseg_cli.weights.resolve import EMBEDDED


@pytest.mark.parametrize("name", ["av", "torch", "decord", "pycocotools", "numpy"])
def test_installed_packages_have_their_version(name: str) -> None:
    finding = package(Requirement(name))
    assert finding.state is CheckState.OK and finding.found[0].isdigit() and not finding.remedy


@pytest.mark.parametrize(
    ("requirement", "found"),
    [("no-such-package>=1", "is missing"), ("numpy<1", "but <1 is needed")],
)
def test_a_missing_requirement_is_broken(requirement: str, found: str) -> None:
    finding = package(Requirement(requirement))
    assert finding.state is CheckState.BROKEN and found in finding.found
    assert f"pip install '{requirement}'" in finding.remedy


def test_the_embedded_model_finds_objects() -> None:
    file, prediction = weights()
    data = (EMBEDDED / "model.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() in file.found
    assert (file.state, prediction.state) == (CheckState.OK, CheckState.OK)
    assert prediction.found.startswith("finds ")


def test_missing_weights_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlseg_cli.weights.resolve.EMBEDDED", tmp_path)
    (finding,) = weights()
    assert finding.state is CheckState.BROKEN and "is missing" in finding.found and finding.remedy


def test_the_codecs_of_pyav_work() -> None:
    findings = {one.name: one for one in codecs()}
    assert list(findings) == ["H264", "HEVC", "VP9", "AV1", "GIF"]
    for one in findings.values():
        assert (one.state, one.found) == (CheckState.OK, "read, written")


def test_a_missing_codec_has_a_remedy() -> None:
    finding = codec_finding("no-such-codec")
    assert finding.state is CheckState.WARNING
    assert finding.found == "not read, not written"
    assert "av" in finding.remedy
