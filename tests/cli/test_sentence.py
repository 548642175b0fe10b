"""Whatever text comes from outside, it is one harmless line on the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.sentence import nearest, printable


@given(st.text(st.characters(codec=None)))
def test_printable_text_is_one_line_that_can_be_printed(text: str) -> None:
    line = printable(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert printable(line) == line


def test_ordinary_text_is_left_alone() -> None:
    for text in ["a  red cup", "写真.png", "café – 5 %"]:
        assert printable(text) == text


def test_nearest_word() -> None:
    assert nearest("overlai", ["coco", "overlay"]) == "; did you mean overlay?"
    assert nearest("zzz", ["coco", "overlay"]) == ""
