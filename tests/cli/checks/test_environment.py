"""Packages are compared with what vlseg asks for."""

import pytest
from packaging.requirements import Requirement

from vlseg_cli.cli.checks import State
from vlseg_cli.cli.checks.environment import package


@pytest.mark.parametrize("name", ["av", "torch", "decord", "pycocotools", "numpy"])
def test_what_is_installed_is_named_with_its_version(name: str) -> None:
    finding = package(Requirement(name))
    assert finding.state is State.OK and finding.found[0].isdigit() and not finding.mend


@pytest.mark.parametrize(
    ("requirement", "found"),
    [("no-such-package>=1", "is missing"), ("numpy<1", "but <1 is needed")],
)
def test_what_is_not_as_asked_is_broken(requirement: str, found: str) -> None:
    finding = package(Requirement(requirement))
    assert finding.state is State.BROKEN and found in finding.found
    assert f"pip install '{requirement}'" in finding.mend
