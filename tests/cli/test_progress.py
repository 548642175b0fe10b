"""Counts, rates and times left; a bar on a terminal, lines in a log, JSON for programs."""

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
    ProgressCounter,
    ProgressDisplay,
    duration,
    open_progress,
)


@dataclass
class Clock:
    """Returns the time that it is set to, in s."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_text_has_count_rate_and_time_left() -> None:
    clock = Clock()
    counter = ProgressCounter("inputs", 10_000, clock=clock)
    assert counter.text() == "0 of 10,000 inputs"
    counter.done, counter.failed, clock.now = 1200, 3, 30.0
    assert counter.seconds_left == 220
    assert counter.text() == "1,200 of 10,000 inputs, 40.0/s, 3 min 40 s left, 3 failed"
    counter.done = 10_000
    assert counter.text() == "10,000 of 10,000 inputs, 333.3/s, 3 failed"


def test_earlier_runs_do_not_count_for_the_rate() -> None:
    clock = Clock()
    counter = ProgressCounter("inputs", 100, done=90, clock=clock)
    clock.now += 10
    assert (counter.seconds_left, counter.text()) == (None, "90 of 100 inputs")
    counter.done = 92
    assert counter.text() == "92 of 100 inputs, 12.0/min, 40 s left"


def test_videos_are_counted_in_frames() -> None:
    clock = Clock()
    counter = ProgressCounter("inputs", 2, clock=clock)
    counter.frames, clock.now = 240, 10.0
    assert counter.text() == "0 of 2 inputs, 240 frames, 24.0 frames/s"
    counter.frames, counter.done = 480, 1
    assert counter.text() == "1 of 2 inputs, 480 frames, 48.0 frames/s, 10 s left"


def test_images_are_counted_as_inputs() -> None:
    counter = ProgressCounter("inputs", 3, clock=Clock())
    counter.frames, counter.done = 3, 2  # the third frame is counted before its input
    assert "frames" not in counter.text()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (245, "4 min 5 s"),
        (7200, "2 h"),
        (7201, "2 h"),
        (7860, "2 h 11 min"),
        (86_400, "1 day"),
        (273_600, "3 days 4 h"),
    ],
)
def test_durations_are_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


class Screen(io.StringIO):
    """Claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(style: str = "auto", quiet: bool = False, **more: str) -> tuple[Console, Screen]:
    """A console on a terminal of 100 columns, and its output."""
    console, screen = Console(quiet, style), Screen()
    console.terminal = Terminal(
        file=screen, force_terminal=True, width=100, quiet=quiet, color_system=None, _environ=more
    )
    return console, screen


def test_the_kind_follows_from_the_options_and_the_terminal() -> None:
    assert type(open_progress(Console(quiet=False))) is LineProgress
    assert type(open_progress(Console(quiet=True))) is ProgressDisplay
    assert type(open_progress(Console(quiet=True, style="json"))) is JSONProgress
    assert type(open_progress(on_terminal()[0])) is BarProgress
    assert type(open_progress(on_terminal("lines")[0])) is LineProgress
    assert type(open_progress(on_terminal(TERM="dumb")[0])) is LineProgress


def test_forced_colors_do_not_make_a_log_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_single_image_prints_no_progress(capsys) -> None:
    with LineProgress(Console(quiet=False), clock=Clock()) as progress:
        progress.start(1, 0)
        progress.frames(1)
        progress.item("a.png")
    assert capsys.readouterr().err == ""


def test_a_run_with_nothing_to_do_prints_nothing(capsys) -> None:
    with LineProgress(Console(quiet=False), clock=Clock()) as progress:
        progress.start(5, 5)
    assert capsys.readouterr().err == ""


def test_errors_are_printed_even_when_quiet(capsys) -> None:
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
    assert (progress.counter.done, progress.counter.failed) == (3, 2)


def test_a_terminal_gets_a_bar_with_the_latest_input() -> None:
    console, screen = on_terminal()
    with BarProgress(console, clock=Clock()) as progress:
        progress.start(3, 0)
        progress.item("photos/kitchen\n.png")
    for words in ["1 of 3 inputs", "photos/kitchen\\n.png"]:
        assert words in screen.getvalue()


def test_a_bar_for_one_input_shows_only_if_it_is_a_video() -> None:
    for frames, expected in [(1, False), (240, True)]:
        console, screen = on_terminal()
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
