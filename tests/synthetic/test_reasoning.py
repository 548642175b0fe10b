"""Questions mean all that their fact is true of, and keep training and evaluation apart."""

import numpy as np

from vlseg_cli.synthetic.knowledge import facts
from vlseg_cli.synthetic.reasoning import question, reason
from vlseg_cli.synthetic.scene import Scene


def test_the_answer_is_everything_the_fact_is_true_of(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    for scene in scenes:
        for heldout in (False, True):
            sentence = reason(scene, rng, heldout)
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


def test_training_never_speaks_a_held_out_wording(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    heldout = {wording for fact in facts() for wording in fact.heldout}
    for scene in scenes:
        for _ in range(20):
            sentence = reason(scene, rng)
            assert sentence is not None
            assert not [wording for wording in heldout if wording in sentence.text]


def test_evaluation_speaks_only_held_out_wordings(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    heldout = {wording for fact in facts() for wording in fact.heldout}
    for scene in scenes:
        sentence = reason(scene, rng, heldout=True)
        assert sentence is not None
        assert [wording for wording in heldout if wording in sentence.text]


def test_the_readme_question_is_among_those_trained() -> None:
    (fact,) = (fact for fact in facts() if "keeps food cold" in fact.trained)
    rng = np.random.default_rng(3)
    assert "what keeps food cold?" in {question(rng, fact) for _ in range(300)}


def test_a_picture_without_items_answers_nothing(scenes: list[Scene]) -> None:
    empty = Scene(0, "nowhere", scenes[0].pixels, scenes[0].ids, ())
    assert reason(empty, np.random.default_rng(4)) is None
