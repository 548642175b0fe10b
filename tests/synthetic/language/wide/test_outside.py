"""Words of no category: hundreds, none of them a name, those held out never trained."""

import numpy as np

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.wide.corpus import trained_words
from vlseg_cli.synthetic.language.wide.nouns import HYPERNYMS, words_of
from vlseg_cli.synthetic.language.wide.outside import is_held_out, outside_noun, outside_nouns


def test_there_are_hundreds_of_nouns_and_none_is_a_name() -> None:
    trained, heldout = outside_nouns()
    names = {word for name in BY_NAME for word in words_of(name)} | set(HYPERNYMS)
    assert len(trained) >= 250 and len(heldout) >= 90
    assert len({*trained, *heldout}) == len(trained) + len(heldout)
    assert names.isdisjoint((*trained, *heldout))


def test_held_out_nouns_and_inventions_are_never_drawn_for_training() -> None:
    rng = np.random.default_rng(0)
    trained, heldout = map(set, outside_nouns())
    said = {outside_noun(rng, heldout=False) for _ in range(5000)}
    kept = {outside_noun(rng, heldout=True) for _ in range(5000)}
    assert trained <= said and heldout <= kept and said.isdisjoint(kept)
    assert not any(is_held_out(word) for word in said - trained)
    assert (said | kept - heldout).isdisjoint(set(trained_words()) - trained)
