"""The wide knowledge: enough facts and wordings of every category, held-out ones apart."""

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.knowledge import facts, facts_by_category, real_sizes
from vlseg_cli.synthetic.language.wide.corpus import split, trained_words

_FACTS = facts("wide")


def test_every_category_has_six_trained_facts() -> None:
    for category in BY_NAME:
        trained = [fact for fact in facts_by_category("wide")[category] if fact.trained]
        assert len(trained) >= 6, category


def test_every_fact_has_enough_wordings_or_is_held_out_entirely() -> None:
    for fact in _FACTS:
        assert len(fact.trained) >= 3 or not fact.trained, fact.name
        assert fact.heldout, fact.name
    assert sum(not fact.trained for fact in _FACTS) >= 12


def test_facts_are_about_known_categories_and_clear_about_each() -> None:
    for fact in _FACTS:
        assert {*fact.categories, *fact.unclear} <= set(BY_NAME), fact.name
        assert fact.unclear.isdisjoint(fact.categories), fact.name
        assert len(set(fact.categories)) == len(fact.categories), fact.name


def test_names_and_wordings_are_unique() -> None:
    assert len({fact.name for fact in _FACTS}) == len(_FACTS)
    wordings = [wording for fact in _FACTS for wording in fact.trained + fact.heldout]
    assert len(set(wordings)) == len(wordings)


def test_a_held_out_wording_is_no_trained_one_with_more_words() -> None:
    for fact in _FACTS:
        for kept in fact.heldout:
            for trained in fact.trained:
                assert f" {trained} " not in f" {kept} ", (fact.name, kept)
                assert f" {kept} " not in f" {trained} ", (fact.name, kept)


def test_held_out_wordings_use_trained_words() -> None:
    known = set(trained_words())
    for fact in _FACTS:
        for wording in fact.heldout:
            assert set(split(wording)) <= known, (fact.name, wording)


def test_the_first_facts_are_true_of_new_categories_too() -> None:
    by_wording = {wording: fact for fact in _FACTS for wording in fact.trained}
    assert by_wording["keeps food cold"].categories == ("fridge",)
    assert by_wording["is a fruit"].categories == ("apple", "banana", "orange")
    assert "truck" in by_wording["is not alive"].categories


def test_every_thing_has_a_size() -> None:
    assert set(real_sizes()) == {name for name, one in BY_NAME.items() if one.is_thing}
