"""The queries of a sample have the scene's ground truth."""

import numpy as np

from vlseg_cli.schema import Categories, Expression, Question, Regions, Task
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.language.wide.outside import outside_nouns
from vlseg_cli.synthetic.samples import (
    SampleMix,
    expressions,
    panoptic_query,
    questions,
    scene_sample,
    synthetic_sample,
)
from vlseg_cli.synthetic.scene import Scene


def test_the_same_seed_gives_the_same_sample() -> None:
    first, second = synthetic_sample(3, 96), synthetic_sample(3, 96)
    assert (first.frame.pixels == second.frame.pixels).all()
    assert [q.prompt for q in first.queries if q.task is Task.REFER] == [
        q.prompt for q in second.queries if q.task is Task.REFER
    ]
    assert all(
        (a.masks == b.masks).all() for a, b in zip(first.queries, second.queries, strict=True)
    )


def test_sentence_masks_are_the_union_of_the_targets(scenes: list[Scene]) -> None:
    mix = SampleMix(sentences=5, questions=2, no_target=0.3)
    for scene in scenes[:20]:
        sample = scene_sample(scene, np.random.default_rng(scene.seed), mix)
        rng = np.random.default_rng(scene.seed)
        panoptic_query(scene, rng, mix)  # consumes its random numbers first
        said = [*expressions(scene, rng, mix), *questions(scene, rng, mix)]
        text_of = [q for q in sample.queries if isinstance(q.prompt, Expression | Question)]
        assert len(text_of) == len(said)
        for query, sentence in zip(text_of, said, strict=True):
            assert isinstance(query.prompt, Expression | Question)
            assert query.prompt.text == sentence.text
            assert query.kind == sentence.kind
            assert query.masks.shape == (bool(sentence.targets), *scene.ids.shape)
            assert query.labels.tolist() == [0] * len(query.masks)
            if sentence.targets:
                assert (query.masks[0] == scene.mask(*sentence.targets)).all()


def test_sentences_are_distinct(scenes: list[Scene]) -> None:
    for scene in scenes:
        sample = scene_sample(scene, np.random.default_rng(0), SampleMix(sentences=12, questions=6))
        texts = [q.prompt.text for q in sample.queries if hasattr(q.prompt, "text")]
        assert len(texts) == len(set(texts))


def test_panoptic_masks_cover_all_but_the_void_once(scenes: list[Scene]) -> None:
    for scene in scenes[:20]:
        sample = scene_sample(scene, np.random.default_rng(0), SampleMix(negatives=4))
        query = sample.queries[0]
        assert query.task is Task.PANOPTIC
        assert isinstance(query.prompt, Categories)
        assert query.ignore is not None
        assert (query.masks.sum(0) + query.ignore == 1).all()
        present = {item.category for item in scene.items}
        assert len(query.prompt.names) == len(present) + 4
        stuff = [label for label in query.labels if not query.prompt.is_thing(int(label))]
        assert len(stuff) == len(set(stuff))
        for mask, label in zip(query.masks, query.labels, strict=True):
            owners = set(np.unique(scene.ids[mask]).tolist())
            names = {item.category for item in scene.items if item.id in owners}
            assert names == {query.prompt.names[label]}


def test_all_names_come_in_the_order_of_the_table(scenes: list[Scene]) -> None:
    query = scene_sample(scenes[0], np.random.default_rng(0), SampleMix(all_names=True)).queries[0]
    assert query.prompt == Categories(NAMES, STUFF)


def test_regions_belong_to_their_masks(scenes: list[Scene]) -> None:
    for scene in scenes[:20]:
        query = scene_sample(scene, np.random.default_rng(0), SampleMix(regions=3)).queries[-1]
        assert query.task is Task.INTERACTIVE
        assert isinstance(query.prompt, Regions)
        assert query.labels.tolist() == list(range(len(query.prompt.regions)))
        for region, mask in zip(query.prompt.regions, query.masks, strict=True):
            assert (region.mask & mask).any()


def test_held_out_wordings_are_used_only_on_request(scenes: list[Scene]) -> None:
    for heldout, kind in ((False, "seen"), (True, "heldout")):
        mix = SampleMix(heldout=heldout)
        sample = scene_sample(scenes[1], np.random.default_rng(0), mix)
        assert {q.kind for q in sample.queries if q.task is Task.REASON} == {kind}


def test_a_sample_has_the_requested_size() -> None:
    assert max(synthetic_sample(5, 160).frame.pixels.shape[:2]) == 160
    assert (synthetic_sample(5, 96).frame.pixels == draw_scene(5, 96).pixels).all()


def test_wide_samples_have_absent_names_and_unanswered_sentences() -> None:
    mix = SampleMix(no_target=0.3, no_answer=0.3, outside=4.0)
    outside = set(outside_nouns()[0])
    samples = [synthetic_sample(seed, 64, mix, "wide") for seed in range(40)]
    names = [q.prompt.names for s in samples for q in s.queries if q.task is Task.PANOPTIC]
    assert 2 < np.mean([len(outside.intersection(one)) for one in names]) < 5
    assert all(len(set(one)) == len(one) for one in names)
    for task in (Task.REFER, Task.REASON):
        queries = [q for s in samples for q in s.queries if q.task is task]
        empty = [q for q in queries if not len(q.masks)]
        assert {q.kind for q in empty} == {"none"}
        assert 0.2 < len(empty) / len(queries) < 0.42


def test_samples_of_the_first_hand_know_all_names() -> None:
    mix = SampleMix(no_answer=1.0, outside=10.0)
    for seed in range(5):
        sample = synthetic_sample(seed, 64, mix)
        assert isinstance(sample.queries[0].prompt, Categories)
        assert set(sample.queries[0].prompt.names) <= set(NAMES)
        assert all(len(q.masks) for q in sample.queries if q.task is Task.REASON)
