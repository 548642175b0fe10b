"""The targets of a question are what its fact or the sizes in life say; its kind is its wording."""

import numpy as np
import pytest

from vlseg_cli.synthetic.language.knowledge import Fact, facts, real_sizes
from vlseg_cli.synthetic.language.wide.corpus import split
from vlseg_cli.synthetic.language.wide.frames import frame_tables
from vlseg_cli.synthetic.language.wide.questions import absent_question, question
from vlseg_cli.synthetic.scene import QUESTION_KINDS, QuestionKind, Scene

_FACTS = facts("wide")
_TABLES = {name: frame_tables()[name] for name in ("question", "goal", "clause")}
_HELDOUT_FRAMES = [frame for table in _TABLES.values() for frame in table.heldout]


def _facts_in(text: str) -> list[Fact]:
    """The facts with the longest wording that is in a text."""
    words = f" {' '.join(split(text))} "
    found = {
        wording: fact
        for fact in _FACTS
        for wording in fact.trained + fact.heldout
        if f" {' '.join(split(wording))} " in words
    }
    longest = max(map(len, found), default=0)
    return [fact for wording, fact in found.items() if len(wording) == longest]


def _is_about_sizes(text: str) -> bool:
    return any(word in text for word in ("real", "normally", "usually"))


@pytest.mark.parametrize("kind", QUESTION_KINDS)
def test_targets_are_all_items_of_the_fact(kind: QuestionKind, wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    checked = 0
    for scene in wide_scenes:
        sentence = question(scene, rng, kind)
        if sentence is None or not _facts_in(sentence.text):
            continue
        (fact,) = _facts_in(sentence.text)
        right = {item.id for item in scene.items if item.category in fact.categories}
        assert set(sentence.targets) == right, sentence
        assert not {item.category for item in scene.items} & fact.unclear
        assert sentence.kind == kind
        checked += 1
    assert checked > (20 if kind == "heldout_function" else 250)


def test_a_question_without_an_answer_is_true_of_nothing(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    for scene in wide_scenes:
        sentence = absent_question(scene, rng)
        assert sentence is not None and (sentence.kind, sentence.targets) == ("none", ())
        (fact,) = _facts_in(sentence.text)
        visible = {item.category for item in scene.items}
        assert visible.isdisjoint(fact.categories) and visible.isdisjoint(fact.unclear)


def test_comparisons_follow_the_sizes_in_life(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    checked = 0
    for scene in wide_scenes:
        for sentence in (question(scene, rng, "seen") for _ in range(12)):
            if sentence is None or _facts_in(sentence.text):
                continue
            assert _is_about_sizes(sentence.text), sentence
            sizes = {item.id: real_sizes()[item.category] for item in scene.items if item.is_thing}
            chosen = [sizes[one] for one in sentence.targets]
            others = [size for one, size in sizes.items() if one not in sentence.targets]
            if any(word in sentence.text for word in (" small", "tiniest")):
                chosen, others = [-size for size in chosen], [-size for size in others]
            if " or " not in sentence.text and others:
                assert min(chosen) > max(others), sentence
            checked += 1
    assert checked > 50


def test_training_uses_nothing_that_is_held_out(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(3)
    kept = [f" {wording} " for fact in _FACTS for wording in fact.heldout]
    starts = [frame.split("{")[0] for frame in _HELDOUT_FRAMES]
    for scene in wide_scenes:
        for sentence in (question(scene, rng, "seen"), absent_question(scene, rng)):
            text = sentence.text.rstrip("?") if sentence else ""
            assert not [one for one in kept if one in f" {text} "], sentence
            assert not [one for one in starts if len(one) > 12 and text.startswith(one)], sentence


def test_held_out_frames_are_used_on_request(wide_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(4)
    sentences = [question(scene, rng, "heldout_frame") for scene in wide_scenes]
    trained = {wording for fact in _FACTS for wording in fact.trained}
    ends = tuple(frame.split("{")[0] for frame in _HELDOUT_FRAMES)
    about_facts = [one for one in sentences if one and _facts_in(one.text)]
    for sentence in about_facts:
        assert sentence.text.startswith(ends), sentence
        assert any(wording in sentence.text for wording in trained)
    assert len(about_facts) > 200
