"""Samples become batches: shapes, instructions, and the truth at mask resolution."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vlseg_cli.models.mask2former.collator import MaskBatch, MaskCollator
from vlseg_cli.models.mask2former.image_processing import fit_masks, fit_regions
from vlseg_cli.models.psalm.prompts import PSALMPrompts
from vlseg_cli.nn.losses import DenseSampling, MaskSampling, PointSampling
from vlseg_cli.schema import Categories, Expression, Frame, Query, Question, Regions, Sample, Task
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.text.tokenizer import Tokenizer


def collator(
    tokenizer: Tokenizer,
    sampling: MaskSampling | None = None,
    together: bool = False,
    word_dropout: float = 0.0,
) -> MaskCollator:
    prompts = PSALMPrompts(tokenizer, "plain", 6, 2)
    return MaskCollator(prompts, 64, sampling or DenseSampling(), NAMES, together, word_dropout)


def queries_of(sample: Sample, *kinds: type) -> list[Query]:
    return [query for query in sample.queries if isinstance(query.prompt, kinds)]


def test_every_prompt_is_in_the_batch_once(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    batch = collator(tokenizer)(samples)
    assert batch.pixel_values.shape == (3, 3, 64, 64)
    assert batch.categories and batch.sentences and batch.regions
    assert batch.categories.image_index.tolist() == [0, 1, 2]
    asked = [(i, q) for i, s in enumerate(samples) for q in queries_of(s, Expression, Question)]
    assert batch.sentences.image_index.tolist() == [i for i, _ in asked]
    assert len(batch.sentences.sequences) == len(batch.sentences.truth) == len(asked)
    for (_, query), sequence in zip(asked, batch.sentences.sequences, strict=True):
        tokens = sequence.ids[sequence.condition == 0].tolist()
        assert tokens == [*tokenizer.ids(query.prompt.text), tokenizer.seg]


@pytest.mark.parametrize("sampling", [DenseSampling(), PointSampling(10)])
def test_truth_is_prepared_for_the_losses(
    tokenizer: Tokenizer, samples: list[Sample], sampling: MaskSampling
) -> None:
    batch = collator(tokenizer, sampling)(samples)
    assert batch.categories is not None
    for sample, truth, labels in zip(
        samples, batch.categories.truth, batch.categories.labels, strict=True
    ):
        (query,) = queries_of(sample, Categories)
        wanted = sampling.prepare(torch.from_numpy(fit_masks(query.masks, 64)))
        assert truth.equal(wanted)
        assert labels.tolist() == query.labels.tolist()


def test_separate_regions_are_prompts_of_their_own(
    tokenizer: Tokenizer, samples: list[Sample]
) -> None:
    """Masks are assigned to regions by label, in any order."""
    (query,) = queries_of(samples[0], Regions)
    turned = replace(query, masks=query.masks[::-1].copy(), labels=query.labels[::-1].copy())
    for one in (query, turned):
        batch = collator(tokenizer)([Sample(samples[0].frame, (one,))])
        assert batch.regions is not None and batch.regions.regions is not None
        assert [s.conditions for s in batch.regions.sequences] == [1] * len(query.masks)
        assert [label.tolist() for label in batch.regions.labels] == [[0]] * len(query.masks)
        wanted = DenseSampling().prepare(torch.from_numpy(fit_masks(query.masks, 64)))
        assert torch.cat(batch.regions.truth).equal(wanted)
        places = np.concatenate([fit_regions(r.mask[None], 64) for r in query.prompt.regions])
        assert batch.regions.regions.equal(torch.from_numpy(places))


def test_a_region_without_an_object_is_a_prompt_too(
    tokenizer: Tokenizer, samples: list[Sample]
) -> None:
    (query,) = queries_of(samples[0], Regions)
    fewer = replace(query, masks=query.masks[1:], labels=query.labels[1:])
    batch = collator(tokenizer)([Sample(samples[0].frame, (fewer,))])
    assert batch.regions is not None
    assert [len(truth) for truth in batch.regions.truth] == [0] + [1] * len(fewer.masks)


def test_regions_together_share_a_prompt(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    batch = collator(tokenizer, together=True)(samples)
    assert batch.regions is not None and batch.regions.regions is not None
    counts = [len(queries_of(s, Regions)[0].prompt.regions) for s in samples]
    assert [s.conditions for s in batch.regions.sequences] == counts
    assert len(batch.regions.regions) == sum(counts)
    assert [label.tolist() for label in batch.regions.labels] == [list(range(n)) for n in counts]


def test_each_cell_has_the_category_at_its_center(
    tokenizer: Tokenizer, samples: list[Sample]
) -> None:
    batch = collator(tokenizer)(samples)
    assert batch.semantic.shape == (3, 16, 16)
    (query,) = queries_of(samples[1], Categories)
    masks = fit_masks(query.masks, 64)
    for y, x in ((0, 0), (5, 9), (11, 3), (15, 15)):
        owners = [
            NAMES.index(query.prompt.names[label])
            for mask, label in zip(masks, query.labels, strict=True)
            if mask[4 * y + 2, 4 * x + 2]
        ]
        assert int(batch.semantic[1, y, x]) == (owners[-1] if owners else -1)


@pytest.mark.parametrize("sampling", [DenseSampling(), PointSampling(10)])
def test_category_shares_are_those_under_the_masks(
    tokenizer: Tokenizer, samples: list[Sample], sampling: MaskSampling
) -> None:
    batch = collator(tokenizer, sampling)(samples)
    assert batch.sentences is not None
    assert batch.category_shares.shape == (len(batch.sentences.sequences), len(NAMES))
    sums = batch.category_shares.sum(1)
    assert ((sums == 0) | ((sums - 1).abs() < 1e-6)).all()
    assert sums.sum() > len(sums) / 2
    for row, (picture, truth) in enumerate(
        zip(batch.sentences.image_index.tolist(), batch.sentences.truth, strict=True)
    ):
        present = set(batch.semantic[picture].unique().tolist())
        assert set(batch.category_shares[row].nonzero()[:, 0].tolist()) <= present
        assert len(truth) or not sums[row]


def test_a_small_share_of_a_neighbor_is_dropped(tokenizer: Tokenizer) -> None:
    """Nine tenths of a mask lie on one category: it alone counts, else each by its share."""
    masks = np.zeros((2, 64, 64), bool)
    masks[0, :40], masks[1, 40:] = True, True
    names = Query(Task.PANOPTIC, Categories(NAMES[:2]), masks, np.array([0, 1]))
    frame = Frame(np.zeros((64, 64, 3), np.uint8), "two halves")
    for rows, shares in ((44, [1.0, 0.0]), (60, [2 / 3, 1 / 3])):
        answer = np.zeros((1, 64, 64), bool)
        answer[0, :rows] = True
        sentence = Query(Task.REFER, Expression("the cup"), answer, np.zeros(1, np.int64))
        batch = collator(tokenizer)([Sample(frame, (names, sentence))])
        assert batch.category_shares[0, :2].tolist() == pytest.approx(shares)


def test_kinds_without_prompts_are_none(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    silent = [Sample(samples[0].frame, ())]
    batch = collator(tokenizer)(silent)
    assert batch.categories is batch.sentences is batch.regions is None
    assert (batch.semantic == -1).all() and batch.category_shares.shape == (0, len(NAMES))


def test_word_dropout_is_deterministic(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    def unknown(word_dropout: float) -> list[list[bool]]:
        batch = collator(tokenizer, word_dropout=word_dropout)(samples)
        assert batch.sentences is not None
        return [(s.ids == tokenizer.unknown).tolist() for s in batch.sentences.sequences]

    some = unknown(0.5)
    assert some == unknown(0.5)
    assert 0 < sum(map(sum, some)) < sum(map(len, some))
    assert not any(map(any, unknown(0.0)))
    batch = collator(tokenizer, word_dropout=1.0)(samples)
    assert batch.sentences is not None
    for sequence in batch.sentences.sequences:
        tokens = sequence.ids[sequence.condition == 0].tolist()
        assert set(tokens[:-1]) == {tokenizer.unknown} and tokens[-1] == tokenizer.seg


def test_all_tensors_move_together(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    moved = collator(tokenizer)(samples).to("meta")
    assert isinstance(moved, MaskBatch)
    assert moved.categories and moved.sentences and moved.regions
    tensors: list[Any] = [
        moved.pixel_values,
        moved.semantic,
        moved.category_shares,
        moved.regions.regions,
    ]
    for prompts in (moved.categories, moved.sentences, moved.regions):
        tensors += [prompts.image_index, *prompts.truth, *prompts.labels]
        assert len(prompts.sequences) == len(prompts.truth)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
