"""The help: fast because it imports next to nothing, in the order a newcomer needs."""

import subprocess
import sys

import pytest

from vlseg_cli import __version__
from vlseg_cli.cli.app import COMMANDS, DATA, JOBS, MAIN, SETUP, TALK, load

HEAVY = ["torch", "transformers", "numpy", "PIL", "scipy", "pycocotools", "av", "psutil"]


def imported_by(*words: str) -> list[str]:
    """Heavy packages that a command line imports in a fresh process."""
    program = (
        "import sys; from vlseg_cli.cli.main import run; run(sys.argv[2:])\n"
        "print(*(set(sys.argv[1].split()) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, " ".join(HEAVY), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.split()


@pytest.mark.parametrize("words", [["--help"], [], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    assert imported_by(*words) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_subcommand_never_imports_torch(name: str) -> None:
    assert not {"torch", "transformers"} & set(imported_by(name, "--help"))


def test_the_main_commands_come_first(vlseg) -> None:
    ran = vlseg("--help")
    assert ran.code == 0
    places = [ran.out.index(f" {name} ") for name in COMMANDS]
    assert places == sorted(places)
    panels = [MAIN] * 7 + [TALK] + [DATA] * 3 + [JOBS] * 5 + [SETUP] * 2
    assert [entry.panel for entry in COMMANDS.values()] == panels


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_in_its_own_help_what_the_list_says(vlseg, name: str) -> None:
    assert load(name).help.startswith(COMMANDS[name].help)
    ran = vlseg(name, "--help")
    assert ran.code == 0 and COMMANDS[name].help in ran.out


def test_version(vlseg) -> None:
    assert vlseg("--version").out == f"vlseg {__version__}\n"


def test_version_in_full_names_what_is_used(vlseg) -> None:
    ran = vlseg("--version", "--verbose")
    assert ran.code == 0 and ran.out.startswith(f"vlseg {__version__}\n")
    for name in ["Python", "torch", "transformers", "av"]:
        assert f"  {name}: " in ran.out


def test_verbose_alone_means_nothing(vlseg) -> None:
    ran = vlseg("--verbose")
    assert ran.code == 2 and ran.err.count("\n") == 1


def test_nothing_at_all_is_answered_with_help(vlseg) -> None:
    ran = vlseg()
    assert ran.code == 0 and "Usage" in ran.out
