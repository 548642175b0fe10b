"""A bar for people who watch, lines for logs, JSON for programs; errors always."""

import io
import json
from dataclasses import dataclass

import pytest
from rich.console import Console as Terminal

from vlseg_cli.cli.console import Console
from vlseg_cli.cli.progress import (
    BarProgress,
    JSONProgress,
    LineProgress,
    ProgressDisplay,
    open_progress,
)


@dataclass
class Clock:
    """Tells the time it is set to, in s."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """Believes to be a terminal."""

    def isatty(self) -> bool:
        return True


def watched(style: str = "auto", quiet: bool = False, **more: str) -> tuple[Console, Screen]:
    """A console on a terminal of 100 columns, and what it shows there."""
    console, screen = Console(quiet, style), Screen()
    console.terminal = Terminal(
        file=screen, force_terminal=True, width=100, quiet=quiet, color_system=None, _environ=more
    )
    return console, screen


def test_the_kind_follows_from_the_choices_and_the_terminal() -> None:
    assert type(open_progress(Console(quiet=False))) is LineProgress
    assert type(open_progress(Console(quiet=True))) is ProgressDisplay
    assert type(open_progress(Console(quiet=True, style="json"))) is JSONProgress
    assert type(open_progress(watched()[0])) is BarProgress
    assert type(open_progress(watched("lines")[0])) is LineProgress
    assert type(open_progress(watched(TERM="dumb")[0])) is LineProgress


def test_colors_in_a_log_make_it_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert type(open_progress(Console(quiet=False))) is LineProgress


def test_a_log_gets_a_line_every_30_s_and_one_at_the_end(capsys) -> None:
    clock = Clock()
    with LineProgress(Console(quiet=False), clock=clock) as progress:
        progress.start(100, 0)
        for second in range(1, 71):
            clock.now = second
            progress.item(f"{second}.png")
    assert capsys.readouterr().err.splitlines() == [
        "30 of 100 inputs, 1.0/s, 1 min 10 s left",
        "60 of 100 inputs, 1.0/s, 40 s left",
        "70 of 100 inputs, 1.0/s, 30 s left, in 1 min 10 s",
    ]


def test_a_single_picture_is_not_worth_a_line(capsys) -> None:
    with LineProgress(Console(quiet=False), clock=Clock()) as progress:
        progress.start(1, 0)
        progress.frames(1)
        progress.item("a.png")
    assert capsys.readouterr().err == ""


def test_a_run_with_nothing_left_to_do_says_nothing(capsys) -> None:
    with LineProgress(Console(quiet=False), clock=Clock()) as progress:
        progress.start(5, 5)
    assert capsys.readouterr().err == ""


def test_errors_are_said_even_when_quiet(capsys) -> None:
    with ProgressDisplay(Console(quiet=True), clock=Clock()) as progress:
        progress.start(3)
        progress.note("hello")
        progress.item("a.png", "a.png is damaged.")
        progress.item("b.png", "The point 5,5 is outside.")
        progress.item("c.png")
    assert capsys.readouterr().err.splitlines() == [
        "vlseg: a.png is damaged.",
        "vlseg: b.png: The point 5,5 is outside.",
    ]
    assert (progress.tally.done, progress.tally.failed) == (3, 2)


def test_a_terminal_gets_a_bar_with_the_latest_input() -> None:
    console, screen = watched()
    with BarProgress(console, clock=Clock()) as progress:
        progress.start(3, 0)
        progress.item("photos/kitchen\n.png")
    for words in ["1 of 3 inputs", "photos/kitchen\\n.png"]:
        assert words in screen.getvalue()


def test_a_bar_for_one_input_shows_only_if_it_is_a_video() -> None:
    for frames, expected in [(1, False), (240, True)]:
        console, screen = watched()
        with BarProgress(console, clock=Clock()) as progress:
            progress.start(1, 0)
            progress.frames(frames)
            progress.item("a")
        assert bool(screen.getvalue()) is expected


def test_no_color_is_honored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console, screen = Console(quiet=False), Screen()
    console.terminal = Terminal(file=screen, force_terminal=True, width=100)
    with BarProgress(console, clock=Clock()) as progress:
        progress.start(3, 0)
        progress.item("a.png")
    assert "\x1b[3" not in screen.getvalue() and "1 of 3" in screen.getvalue()


def test_programs_get_json(capsys) -> None:
    clock = Clock()
    console = Console(quiet=False, style="json")
    with JSONProgress(console, clock=clock) as progress:
        progress.start(4, 1)
        for number in range(3):
            clock.now += 0.6
            progress.frames(1)
            progress.item(f"{number}.png", "damaged" if number == 2 else None)
        progress.note("hello")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["start", "progress", "failed", "note", "end"]
    assert lines[1] == {
        "event": "progress", "total": 4, "done": 2, "failed": 0, "frames": 2, "seconds": 1.2,
        "seconds_left": 2.4, "input": "0.png",
    }  # fmt: skip
    assert (lines[2]["input"], lines[2]["error"]) == ("2.png", "damaged")
    assert (lines[-1]["done"], lines[-1]["failed"], lines[-1]["seconds_left"]) == (4, 1, 0)
