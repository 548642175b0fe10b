"""The tables of frames: many of them, trained and held-out ones apart, slots known."""

import re

import numpy as np
import pytest

from vlseg_cli.synthetic.language.wide.frames import (
    frame_tables,
    keys,
    noun_phrase,
    request,
)

_SLOTS = {
    *("np", "h", "hs", "n", "ns", "an", "c", "d", "o", "k", "side", "t", "x", "y"),
    *("vp", "goal", "that"),
}


def test_there_are_hundreds_of_trained_frames() -> None:
    assert sum(len(set(table.trained)) for table in frame_tables().values()) >= 500


def test_every_table_holds_frames_out_of_training() -> None:
    trained = {frame for table in frame_tables().values() for frame in table.trained}
    for name, table in frame_tables().items():
        assert table.heldout, name
        assert trained.isdisjoint(table.heldout), name


def test_no_held_out_phrase_is_a_part_of_a_trained_one() -> None:
    spoken = ("ask", "question", "goal", "clause")
    phrases = {n: t for n, t in frame_tables().items() if not n.startswith(spoken)}
    trained = {_plain(frame) for table in phrases.values() for frame in table.trained}
    for name, table in phrases.items():
        for frame in table.heldout:
            assert not [one for one in trained if _plain(frame) in one], (name, frame)


def _plain(frame: str) -> str:
    """A frame with one slot for all kinds of nouns."""
    return re.sub(r"\{(h|hs|n|ns|x|y)\}", "{n}", frame)


def test_frames_have_known_slots() -> None:
    for table in frame_tables().values():
        for frame in (*table.trained, *table.heldout):
            assert set(re.findall(r"\{(\w+)\}", frame)) <= _SLOTS, frame
            assert frame == frame.lower()


def test_keys_are_the_tables_under_a_name() -> None:
    assert keys("size") == ("big", "small")
    assert "top_left" in keys("position") and "between" not in keys("relation")


@pytest.mark.parametrize(("noun", "color", "phrase"), [("apple", "red", "a red apple")])
def test_the_article_fits_the_next_word(noun: str, color: str, phrase: str) -> None:
    rng = np.random.default_rng(0)
    said = {noun_phrase(rng, "color", False, n=noun, ns="", c=color) for _ in range(400)}
    assert phrase in said and "an red apple" not in said
    assert "an apple" in {noun_phrase(rng, "category", False, n=noun) for _ in range(400)}


def test_only_definite_or_plural_phrases_are_asked_for_by_place() -> None:
    rng = np.random.default_rng(1)
    assert not any("where is" in request(rng, "a cup", False, False) for _ in range(300))
    assert any(request(rng, "cups", True, False).startswith("where are") for _ in range(300))
