"""Which captions are worth keeping, and the file that holds them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.datasets.captions import (
    CaptionedImage,
    CaptionRules,
    captions_by_image,
    information,
    read_captioned,
)
from vlseg_cli.schema import InputError

RULES = CaptionRules()


def test_sentences_that_suppose_are_taken_out() -> None:
    caption = (
        "A red cup stands on a table. The steam indicates that it is hot. It might be morning!"
        " A dog, which may be asleep, lies below. A tree is outside."
    )
    assert RULES.refine(caption) == "A red cup stands on a table. A tree is outside."
    assert RULES.refine("This implies a long and happy story.") is None


def test_may_is_a_month_too() -> None:
    assert RULES.refine("A calendar shows May on the wall.") is not None
    assert RULES.refine("The calendar may hang on a wall.") is None


def test_length_counts_words() -> None:
    rules = CaptionRules(least=3, most=5, information=0)
    kept = [bool(rules.refine(" ".join(["word"] * count))) for count in range(1, 8)]
    assert kept == [False, False, True, True, True, False, False]


def test_a_caption_that_repeats_itself_says_little() -> None:
    assert RULES.refine("the the the the the the the the cup") is None
    assert RULES.refine("A cup. A cup. A cup. A cup. A cup. A cup. A cup.") is None
    assert RULES.refine("A white cup stands on the wooden table near a window.") is not None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=20))
def test_information_is_a_share(words: list[str]) -> None:
    assert 0 <= information(words) <= 1 + 1e-9
    assert information(words) == pytest.approx(information(sorted(words)))
    assert information(words[:1] * 5) == 0
    assert information([f"{word}{place}" for place, word in enumerate(words)]) == pytest.approx(1)


def test_the_file_is_read_back(tmp_path: Path) -> None:
    pictures = [
        CaptionedImage("a b.png", "one", ("A cup.", "Ein Becher – 杯子"), 1),
        CaptionedImage("c.png", "one", (), 2),
        CaptionedImage("a b.png", "two", ("A cup.", "A dog."), 0),
    ]
    file = tmp_path / "captions.jsonl"
    file.write_text("".join(picture.line() + "\n" for picture in pictures))
    assert list(read_captioned(file)) == pictures
    assert captions_by_image(pictures) == {
        "a b.png": ("A cup.", "Ein Becher – 杯子", "A dog."),
        "c.png": (),
    }


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"image": 1}', "no"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "captions.jsonl"
    file.write_text(CaptionedImage("a", "b", (), 0).line() + "\n" + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        list(read_captioned(file))
