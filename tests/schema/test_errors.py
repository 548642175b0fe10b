"""A slip of the pen is answered with one word, a guess at random with none."""

from vlseg_cli.schema.errors import nearest, nearest_or_all


def test_nearest_word() -> None:
    assert nearest("overlai", ["coco", "overlay"]) == "; did you mean 'overlay'?"
    assert nearest("zzz", ["coco", "overlay"]) == ""


def test_what_is_found_is_written_as_asked() -> None:
    assert nearest("a.pgn", ["a.png"], lambda name: f"in/{name}") == "; did you mean 'in/a.png'?"


def test_all_words_where_none_is_near() -> None:
    assert nearest_or_all("zzz", {"b", "a"}) == "; known are a, b"
    assert nearest_or_all("color", ["color", "size"]) == "; did you mean 'color'?"
