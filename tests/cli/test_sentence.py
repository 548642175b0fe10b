"""Whatever text comes from outside, it is one harmless line on the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.sentence import counted, each_once, printable, shown


@given(st.text(st.characters(codec=None)))
def test_printable_text_is_one_line_that_can_be_printed(text: str) -> None:
    line = printable(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert printable(line) == line


def test_ordinary_text_is_left_alone() -> None:
    for text in ["a  red cup", "写真.png", "café – 5 %"]:
        assert printable(text) == text


def test_long_values_are_cut() -> None:
    assert shown("a cup") == "'a cup'"
    assert shown("a" * 10_000).endswith("…") and len(shown("a" * 10_000)) < 100


def test_one_is_singular() -> None:
    assert [counted(n, "frame") for n in (0, 1, 4200)] == ["0 frames", "1 frame", "4,200 frames"]


def test_names_once_and_in_order() -> None:
    assert each_once([" b", "a", "", "b ", "  "]) == ("b", "a")
