"""The knowledge table is complete, and its held-out wordings are kept out of training."""

from vlseg_cli.synthetic.categories import NAMES
from vlseg_cli.synthetic.knowledge import facts, facts_by_category
from vlseg_cli.synthetic.vocabulary import split, words


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


def test_no_wording_stands_for_two_facts() -> None:
    everything = [wording for fact in facts() for wording in fact.trained + fact.heldout]
    assert len(everything) == len(set(everything))


def test_held_out_wordings_use_known_words() -> None:
    known = set(words())
    for fact in facts():
        for wording in fact.heldout:
            assert set(split(wording)) <= known, wording
