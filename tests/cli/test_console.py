"""Output on stderr: a table on a terminal, plain lines in a log, nothing with --quiet."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console as Terminal

from vlseg_cli.cli.console import Console, title
from vlseg_cli.cli.values import counted, each_once, printable, shown
from vlseg_cli.schema import Record, Task, segment_from_mask

MASK = np.zeros((20, 40), bool)
MASK[5:10, 10:30] = True


def record(task: Task, prompt: str | tuple[str, ...], *labels: str) -> Record:
    """The same mask under each label."""
    segments = tuple(segment_from_mask(MASK, 0.5 + 0.1 * i, one) for i, one in enumerate(labels))
    return Record(
        "k.png", "k", False, 0, None, 40, 20, task, prompt, (), "A fridge does.", segments
    )


COLD = record(Task.REASON, "what is [cold]?", "fridge")


def on_a_terminal() -> tuple[Console, io.StringIO]:
    """A console on a terminal of 80 columns, and its output."""
    console, shown = Console(quiet=False), io.StringIO()
    console.terminal = Terminal(file=shown, force_terminal=True, width=80, color_system=None)
    return console, shown


def test_a_log_gets_plain_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Console(quiet=False).show(COLD, in_full=True)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        "k.png: what is [cold]?",
        "  fridge  0.50  12.5%  10, 5, 20, 5",
        "A fridge does.",
    ]


def test_a_terminal_gets_a_table() -> None:
    console, shown = on_a_terminal()
    console.show(COLD, in_full=True)
    for word in ["label", "score", "area", "box", "fridge", "0.50", "12.5%", "what is [cold]?"]:
        assert word in shown.getvalue()


def test_many_images_get_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=False)
    console.show(record(Task.INSTANCE, ("cup",), "a", "b", "c", "d"), in_full=False)
    console.show(record(Task.INSTANCE, ("cup",)), in_full=False)
    assert capsys.readouterr().err.splitlines() == [
        "k.png: instance: 4 segments, d 0.80, c 0.70, b 0.60, …",
        "k.png: instance: nothing found",
    ]


def test_quiet_prints_errors_alone(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.note("hello")
    console.show(COLD, in_full=True)
    console.error("broken.png\x1b[31m is damaged.")
    assert capsys.readouterr().err == "vlseg: broken.png\\x1b[31m is damaged.\n"


def test_no_color_is_honored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = Console(quiet=False)
    shown = io.StringIO()
    console.terminal.file = shown
    console.show(COLD, in_full=True)
    assert "\x1b[3" not in shown.getvalue()


def test_a_program_gets_notes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=False, style="json")
    console.note("hel\nlo")
    console.show(COLD, in_full=True)
    (line, *_) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {"event": "note", "text": "hel\nlo"}


def test_titles_contain_the_prompt() -> None:
    assert title(COLD) == "k.png: what is [cold]?"
    assert title(record(Task.PANOPTIC, ("cup",))) == "k.png: panoptic"
    assert title(record(Task.INTERACTIVE, ("point", "box"))) == "k.png: point, box"
    film = replace(COLD, is_video=True, frame=12)
    assert title(film) == "k.png, frame 12: what is [cold]?"


def test_a_download_is_a_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(quiet=False).download("model\n.bin", 3_000_000) as advance:
        advance(1_000_000)
    assert capsys.readouterr().err == "fetching model\\n.bin (3.0 MB)\n"
    with Console(quiet=True).download("model.bin", None) as advance:
        advance(1)
    assert capsys.readouterr().err == ""


def test_a_download_is_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Console(quiet=False).download("model.bin", 3_000_000) as advance:
        advance(3_000_000)
        advance(-1_000_000)
    output = capsys.readouterr().err
    assert "model.bin" in output and "2.0/3.0 MB" in output


@given(st.text(st.characters(codec=None)))
def test_printable_text_is_one_line_that_can_be_printed(text: str) -> None:
    line = printable(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert printable(line) == line


def test_ordinary_text_is_unchanged() -> None:
    for text in ["a  red cup", "写真.png", "café – 5 %"]:
        assert printable(text) == text


def test_long_values_are_cut() -> None:
    assert shown("a cup") == "'a cup'"
    assert shown("a" * 10_000).endswith("…") and len(shown("a" * 10_000)) < 100


def test_counts_have_their_plural() -> None:
    assert [counted(n, "frame") for n in (0, 1, 4200)] == ["0 frames", "1 frame", "4,200 frames"]


def test_each_name_is_kept_once_and_in_order() -> None:
    assert each_once([" b", "a", "", "b ", "  "]) == ("b", "a")
