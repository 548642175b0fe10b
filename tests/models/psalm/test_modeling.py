"""The four steps: shortcuts change nothing, and prompts in a batch do not see each other."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.modeling import ImageFeatures, LanguageOutput, MaskOutput
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts, sentence_text
from vlseg_cli.schema import Expression, Regions, Sample
from vlseg_cli.text.placeholders import ConditionKind, Placeholder, tokenize
from vlseg_cli.text.sequence import TokenSequence, assemble

KINDS = list(ConditionKind)
Asking = tuple[list[TokenSequence], Tensor, Tensor | None]


@pytest.fixture
def asking(prompts: PSALMPrompts, samples: list[Sample]) -> dict[ConditionKind, Asking]:
    """Prompts of each kind: of different lengths, about several pictures, several about one."""
    names = (["cup"], ["fridge", "the kitchen table", "cup"], ["tree", "sky"])
    texts = [q.prompt.text for q in samples[0].queries if isinstance(q.prompt, Expression)]
    counts, masks = (2, 1, 3), list[np.ndarray]()
    for sample, count in zip(samples, counts, strict=True):
        places = next(q.prompt for q in sample.queries if isinstance(q.prompt, Regions))
        assert len(places.regions) >= count
        masks += [fit_regions(r.mask[None], 64)[0] for r in places.regions[:count]]
    pictures = torch.tensor([2, 0, 2])
    owners = [samples[int(p)] for p in pictures]
    assert len({len(text) for text in texts}) > 1 and len(owners) == 3
    return {
        ConditionKind.CATEGORY: ([prompts.categories(n) for n in names], pictures, None),
        ConditionKind.SENTENCE: (
            [prompts.sentence(text) for text in (texts[0], "cup", texts[1])],
            pictures,
            None,
        ),
        ConditionKind.REGION: (
            [prompts.regions(count) for count in counts],
            pictures,
            torch.from_numpy(np.stack(masks)),
        ),
    }


def one_by_one(asking: Asking) -> list[Asking]:
    """Each prompt alone, with its own regions."""
    sequences, pictures, regions = asking
    alone: list[Asking] = []
    first = 0
    for row, sequence in enumerate(sequences):
        mine = None
        if regions is not None:
            mine = regions[first : first + sequence.conditions]
            first += sequence.conditions
        alone.append(([sequence], pictures[row : row + 1], mine))
    return alone


def answered(model: PSALM, seen: ImageFeatures, asking: Asking, kind: ConditionKind) -> MaskOutput:
    sequences, pictures, regions = asking
    with torch.no_grad():
        result: MaskOutput = model(seen, sequences, pictures, kind, regions)
    return result


def test_seeing_gives_the_strides(model: PSALM, seen: ImageFeatures) -> None:
    assert [features.shape[-1] for features in seen.pyramid] == [16, 8, 4, 2]
    assert seen.tokens.shape == (3, 24, 2, 2)
    assert seen.pixels.mask_features.shape == (3, 16, 16, 16)
    assert len(seen) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_reading_after_the_cached_picture_is_reading_it_all(
    model: PSALM, seen: ImageFeatures, asking: dict[ConditionKind, Asking], kind: ConditionKind
) -> None:
    sequences, pictures, regions = asking[kind]
    with torch.no_grad():
        read: LanguageOutput = model.run_language_model(seen, sequences, pictures, regions)
        for row, sequence in enumerate(sequences):
            words = model.language.embed_tokens(torch.tensor([sequence.prefix], dtype=torch.long))
            picture = seen.tokens[pictures[row]].flatten(1).T.unsqueeze(0)
            length = len(sequence.ids)
            whole = torch.cat([words, picture, read.embeds[row : row + 1, :length]], 1)
            hidden = model.language(inputs_embeds=whole, use_cache=False).last_hidden_state
            assert torch.allclose(hidden[0, -length:], read.hidden[row, :length], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_prompts_is_answered_as_each_alone(
    model: PSALM, seen: ImageFeatures, asking: dict[ConditionKind, Asking], kind: ConditionKind
) -> None:
    together = answered(model, seen, asking[kind], kind)
    for row, alone in enumerate(one_by_one(asking[kind])):
        single = answered(model, seen, alone, kind)
        count = alone[0][0].conditions
        for level in range(len(single.scores)):
            for one, other in (
                (together.pred_masks, single.pred_masks),
                (together.hidden, single.hidden),
            ):
                assert torch.allclose(one[level][row], other[level][0], atol=1e-8)
            scores = together.scores[level][row]
            assert torch.allclose(scores[:, :count], single.scores[level][0], atol=1e-8)
            assert (scores[:, count:] == float("-inf")).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_answered_as_if_it_were_alone(
    model: PSALM,
    seen: ImageFeatures,
    pixel_values: Tensor,
    asking: dict[ConditionKind, Asking],
    kind: ConditionKind,
) -> None:
    sequences, pictures, regions = one_by_one(asking[kind])[0]
    with torch.no_grad():
        only = model.encode_image(pixel_values[pictures])
    first = answered(model, seen, (sequences, pictures, regions), kind)
    second = answered(model, only, (sequences, torch.tensor([0]), regions), kind)
    assert torch.allclose(first.scores[-1], second.scores[-1], atol=1e-8)
    assert torch.allclose(first.pred_masks[-1], second.pred_masks[-1], atol=1e-8)


def test_the_prompt_and_the_picture_matter(
    model: PSALM, seen: ImageFeatures, prompts: PSALMPrompts
) -> None:
    """Guards the equalities above: answers to other questions are not equal."""
    sequences = [prompts.sentence("cup"), prompts.sentence("tree"), prompts.sentence("cup")]
    result = answered(
        model, seen, (sequences, torch.tensor([0, 0, 1]), None), ConditionKind.SENTENCE
    )
    scores = result.scores[-1]
    assert (scores[0] - scores[1]).abs().max() > 1e-3
    assert (scores[0] - scores[2]).abs().max() > 1e-3


def test_words_after_the_mask_tokens_change_nothing(
    model: PSALM, seen: ImageFeatures, prompts: PSALMPrompts
) -> None:
    tokenizer = prompts.tokenizer
    ids = [*tokenize(sentence_text("psalm"), tokenizer), *tokenizer.ids("the red cup is a tree")]
    said = [*tokenizer.ids("the cup"), tokenizer.seg]
    cut, whole = (
        assemble(ids, 6, expression=said, keep_tail=keep_tail) for keep_tail in (False, True)
    )
    assert len(whole.ids) > len(cut.ids)
    first, second = (
        answered(model, seen, ([one], torch.tensor([1]), None), ConditionKind.SENTENCE)
        for one in (cut, whole)
    )
    assert torch.allclose(first.scores[-1], second.scores[-1], atol=1e-9)
    assert torch.allclose(first.pred_masks[-1], second.pred_masks[-1], atol=1e-9)


def test_a_picture_is_read_once_for_all_prompts_of_a_style(
    model: PSALM, seen: ImageFeatures, asking: dict[ConditionKind, Asking]
) -> None:
    lengths: list[int] = []
    hook = model.language.register_forward_pre_hook(
        lambda _, __, inputs: lengths.append(inputs["inputs_embeds"].shape[1]), with_kwargs=True
    )
    for kind in KINDS:
        answered(model, seen, asking[kind], kind)
    hook.remove()
    (prefix,) = seen.prefixes.values()
    longest = [max(len(s.ids) for s in asking[kind][0]) for kind in KINDS]
    assert lengths == [prefix.hidden.shape[1], *longest]


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_are_means_over_their_positions(
    model: PSALM, seen: ImageFeatures, asking: dict[ConditionKind, Asking], kind: ConditionKind
) -> None:
    sequences, pictures, regions = asking[kind]
    with torch.no_grad():
        read = model.run_language_model(seen, sequences, pictures, regions)
        asked = model.build_queries(read, kind)
        for row, sequence in enumerate(sequences):
            tokens = read.hidden[row, : len(sequence.ids)]
            queries = tokens[torch.from_numpy(sequence.ids == Placeholder.QUERIES)]
            assert torch.allclose(asked.queries[row], model.seg_query_projector(queries))
            for number in range(sequence.conditions):
                mine = tokens[torch.from_numpy(sequence.condition == number)].mean(0)
                wanted = model.condition_projectors[kind](mine)
                assert torch.allclose(asked.conditions[row, number], wanted)
            assert asked.present[row].tolist() == [
                k < sequence.conditions for k in range(asked.present.shape[1])
            ]


def test_mask_tokens_enter_in_their_order(
    model: PSALM, seen: ImageFeatures, prompts: PSALMPrompts
) -> None:
    sequences = [prompts.sentence("cup"), prompts.sentence("the red cup")]
    with torch.no_grad():
        read = model.run_language_model(seen, sequences, torch.tensor([0, 1]))
    for row in range(2):
        entered = read.embeds[row][read.ids[row] == Placeholder.QUERIES]
        assert entered.equal(model.seg_query[: len(entered)])


def test_regions_enter_as_what_is_seen_there(
    model: PSALM, seen: ImageFeatures, asking: dict[ConditionKind, Asking]
) -> None:
    sequences, pictures, regions = asking[ConditionKind.REGION]
    assert regions is not None
    owners = pictures.repeat_interleave(torch.tensor([s.conditions for s in sequences]))
    with torch.no_grad():
        read = model.run_language_model(seen, sequences, pictures, regions)
        vectors = model.embed_regions(model.region_features(seen, owners, regions))
    assert torch.allclose(read.embeds[read.ids == Placeholder.REGION], vectors)
    assert torch.cdist(vectors, vectors).fill_diagonal_(1).min() > 1e-6
