"""The shared options are in the help of every inference command, each in its panel."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from vlseg_cli.cli.options import JobOptions, expand_options
from vlseg_cli.schema import FrameRange, UsageError

PANELS = {
    "Model": ["--model", "--device", "--dtype", "--threshold"],
    "Video": ["--stride", "--max-frames", "--start", "--end"],
    "Batch": ["--batch-size", "--shard", "--overwrite", "--fail-fast", "--null", "-0"],
    "Output": ["--out", "--save", "--json", "--quiet", "--progress"],
}


@pytest.mark.parametrize("name", ["segment", "refer", "reason", "detect"])
def test_the_help_has_them_in_panels(vlseg, name: str) -> None:
    output = vlseg(name, "--help").out
    for panel, options in PANELS.items():
        section = output[output.index(f"─ {panel} ─") :].split("╰")[0]
        for option in options:
            assert f" {option} " in section
    assert "Images, videos, folders, patterns, lists (.txt), - for stdin" in output


def test_the_frame_range_of_a_video() -> None:
    assert JobOptions().clip == FrameRange()
    assert JobOptions(stride=2, start=1.5, end=3, max_frames=9).clip == FrameRange(2, 1.5, 3, 9)
    for start, end in [(3.0, 3.0), (5.0, 2.0), (None, 0.0)]:
        with pytest.raises(UsageError, match="--end"):
            _ = JobOptions(start=start, end=end).clip


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Two options."""

    size: Annotated[int, typer.Option(help="How large.")] = 3
    name: Annotated[str | None, typer.Option(help="How called.")] = None


def run(*words: str) -> tuple[list[Any], str]:
    """What a command got, and what it printed."""
    got: list[Any] = []

    @expand_options
    def command(
        context: typer.Context,
        positional: Annotated[list[str] | None, typer.Argument()] = None,
        loud: bool = False,
        *,
        group: Group,
    ) -> None:
        """Say something."""
        got.extend([context.info_name, positional, loud, group])

    app = typer.Typer(add_completion=False)
    app.command()(command)
    return got, CliRunner().invoke(app, list(words), env={"COLUMNS": "100"}).output


def test_options_reach_the_command_as_one_value() -> None:
    assert run()[0][1:] == [None, False, Group()]
    got, _ = run("a", "--size", "5", "b", "--loud", "--name=x")
    assert got[1:] == [["a", "b"], True, Group(size=5, name="x")]


def test_the_help_shows_each_option_and_the_docstring() -> None:
    _, output = run("--help")
    for words in ["Say something.", "--loud", "--size", "How large.", "[default: 3]", "--name"]:
        assert words in output
    assert "--group" not in output
