"""Questions refer to all items their fact is true of; held-out wordings stay out of training."""

import numpy as np

from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.language.knowledge import facts, facts_by_category
from vlseg_cli.synthetic.reasoning import question_text, reasoning_question
from vlseg_cli.synthetic.scene import Scene
from vlseg_cli.synthetic.vocabulary import split, words


def test_targets_are_all_items_of_the_fact(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    for scene in scenes:
        for heldout in (False, True):
            sentence = reasoning_question(scene, rng, "heldout" if heldout else "seen")
            assert sentence is not None
            (fact,) = (f for f in facts() if _longest(f.trained + f.heldout, sentence.text))
            right = {item.id for item in scene.items if item.category in fact.categories}
            assert set(sentence.targets) == right
            assert 1 <= len(right) <= 5
            assert sentence.kind == ("heldout" if heldout else "seen")


def _longest(wordings: tuple[str, ...], text: str) -> bool:
    """Whether the text ends in one of the wordings and no longer wording of the table fits."""
    everything = [w for fact in facts() for w in fact.trained + fact.heldout if w in text]
    return max(everything, key=len) in wordings


def test_training_uses_no_held_out_wording(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    heldout = {wording for fact in facts() for wording in fact.heldout}
    for scene in scenes:
        for _ in range(20):
            sentence = reasoning_question(scene, rng)
            assert sentence is not None
            assert not [wording for wording in heldout if wording in sentence.text]


def test_evaluation_uses_only_held_out_wordings(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    heldout = {wording for fact in facts() for wording in fact.heldout}
    for scene in scenes:
        sentence = reasoning_question(scene, rng, "heldout")
        assert sentence is not None
        assert [wording for wording in heldout if wording in sentence.text]


def test_the_readme_question_is_among_those_trained() -> None:
    (fact,) = (fact for fact in facts() if "keeps food cold" in fact.trained)
    rng = np.random.default_rng(3)
    assert "what keeps food cold?" in {question_text(rng, fact) for _ in range(300)}


def test_a_scene_without_items_has_no_question(scenes: list[Scene]) -> None:
    empty = Scene(0, "nowhere", scenes[0].pixels, scenes[0].ids, ())
    assert reasoning_question(empty, np.random.default_rng(4)) is None


def test_every_category_has_six_facts_and_every_fact_enough_wordings() -> None:
    assert set(facts_by_category()) == set(NAMES)
    for category, rows in facts_by_category().items():
        assert len(rows) >= 6, category
    for fact in facts():
        assert len(fact.trained) >= 3, fact.name
        assert len(fact.heldout) >= 1, fact.name


def test_the_readme_question_is_trained_for_the_fridge() -> None:
    (fact,) = (fact for fact in facts() if "keeps food cold" in fact.trained)
    assert fact.categories == ("fridge",)


def test_no_held_out_wording_is_or_contains_a_trained_one() -> None:
    trained = {wording for fact in facts() for wording in fact.trained}
    for fact in facts():
        for wording in fact.heldout:
            assert not [known for known in trained if known in wording or wording in known]


def test_no_wording_belongs_to_two_facts() -> None:
    everything = [wording for fact in facts() for wording in fact.trained + fact.heldout]
    assert len(everything) == len(set(everything))


def test_held_out_wordings_use_known_words() -> None:
    known = set(words())
    for fact in facts():
        for wording in fact.heldout:
            assert set(split(wording)) <= known, wording
