"""A misspelled word gets the nearest known one, any other none or all of them."""

from vlseg_cli.schema.errors import nearest, nearest_or_all


def test_nearest_word() -> None:
    assert nearest("overlai", ["coco", "overlay"]) == "; did you mean 'overlay'?"
    assert nearest("zzz", ["coco", "overlay"]) == ""


def test_the_found_word_is_formatted() -> None:
    assert nearest("a.pgn", ["a.png"], lambda name: f"in/{name}") == "; did you mean 'in/a.png'?"


def test_all_words_if_none_is_similar() -> None:
    assert nearest_or_all("zzz", {"b", "a"}) == "; known are a, b"
    assert nearest_or_all("color", ["color", "size"]) == "; did you mean 'color'?"
