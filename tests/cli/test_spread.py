"""A dataclass of options is shown, and filled in, as if each had been written out."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.testing import CliRunner

from vlseg_cli.cli.spread import spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Two options."""

    size: Annotated[int, typer.Option(help="How large.")] = 3
    name: Annotated[str | None, typer.Option(help="How called.")] = None


def run(*words: str) -> tuple[list[Any], str]:
    """What a command got, and what it printed."""
    got: list[Any] = []

    @spread
    def command(
        context: typer.Context,
        places: Annotated[list[str] | None, typer.Argument()] = None,
        loud: bool = False,
        *,
        group: Group,
    ) -> None:
        """Say something."""
        got.extend([context.info_name, places, loud, group])

    app = typer.Typer(add_completion=False)
    app.command()(command)
    return got, CliRunner().invoke(app, list(words), env={"COLUMNS": "100"}).output


def test_options_reach_the_command_as_one_value() -> None:
    assert run()[0][1:] == [None, False, Group()]
    got, _ = run("a", "--size", "5", "b", "--loud", "--name=x")
    assert got[1:] == [["a", "b"], True, Group(size=5, name="x")]


def test_the_help_shows_each_option_and_the_commands_words() -> None:
    _, said = run("--help")
    for words in ["Say something.", "--loud", "--size", "How large.", "[default: 3]", "--name"]:
        assert words in said
    assert "--group" not in said
