"""The four steps: caching changes nothing, and prompts in a batch are independent."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_regions
from vlseg_cli.models.mask2former.modeling import ImageFeatures, MaskOutput
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts, sentence_text
from vlseg_cli.schema import Expression, Regions, Sample
from vlseg_cli.text.placeholders import ConditionKind, Placeholder, tokenize
from vlseg_cli.text.sequence import TokenSequence, assemble

KINDS = list(ConditionKind)
PromptBatch = tuple[list[TokenSequence], Tensor, Tensor | None]
Batches = dict[ConditionKind, PromptBatch]


@pytest.fixture
def batches(prompts: PSALMPrompts, samples: list[Sample]) -> Batches:
    """Prompts of each kind: of different lengths, about several images, several about one."""
    names = (["cup"], ["fridge", "the kitchen table", "cup"], ["tree", "sky"])
    texts = [q.prompt.text for q in samples[0].queries if isinstance(q.prompt, Expression)]
    counts, masks = (2, 1, 3), list[np.ndarray]()
    for sample, count in zip(samples, counts, strict=True):
        drawn = next(q.prompt for q in sample.queries if isinstance(q.prompt, Regions))
        assert len(drawn.regions) >= count
        masks += [fit_regions(r.mask[None], 64)[0] for r in drawn.regions[:count]]
    image_index = torch.tensor([2, 0, 2])
    owners = [samples[int(p)] for p in image_index]
    assert len({len(text) for text in texts}) > 1 and len(owners) == 3
    return {
        ConditionKind.CATEGORY: ([prompts.categories(n) for n in names], image_index, None),
        ConditionKind.SENTENCE: (
            [prompts.sentence(text) for text in (texts[0], "cup", texts[1])],
            image_index,
            None,
        ),
        ConditionKind.REGION: (
            [prompts.regions(count) for count in counts],
            image_index,
            torch.from_numpy(np.stack(masks)),
        ),
    }


def one_by_one(batches: PromptBatch) -> list[PromptBatch]:
    """Each prompt alone, with its own regions."""
    sequences, image_index, regions = batches
    single: list[PromptBatch] = []
    first = 0
    for row, sequence in enumerate(sequences):
        own = None
        if regions is not None:
            own = regions[first : first + sequence.conditions]
            first += sequence.conditions
        single.append(([sequence], image_index[row : row + 1], own))
    return single


@torch.no_grad()
def embed(model: PSALM, features: ImageFeatures, prompts: PromptBatch) -> Tensor | None:
    """Region embeddings of prompts, None without regions."""
    sequences, image_index, regions = prompts
    if regions is None:
        return None
    owner = image_index.repeat_interleave(torch.tensor([s.conditions for s in sequences]))
    return model.embed_regions(model.region_features(features, owner, regions))


@torch.no_grad()
def run(
    model: PSALM, features: ImageFeatures, prompts: PromptBatch, kind: ConditionKind
) -> MaskOutput:
    sequences, image_index, _ = prompts
    embeddings = embed(model, features, prompts)
    output: MaskOutput = model(features, sequences, image_index, kind, embeddings)
    return output


def test_features_have_the_strides(model: PSALM, features: ImageFeatures) -> None:
    assert [features.shape[-1] for features in features.pyramid] == [16, 8, 4, 2]
    assert features.tokens.shape == (3, 24, 2, 2)
    assert features.pixels.mask_features.shape == (3, 16, 16, 16)
    assert len(features) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_running_from_the_cached_prefix_equals_the_whole_sequence(
    model: PSALM,
    features: ImageFeatures,
    batches: Batches,
    kind: ConditionKind,
) -> None:
    sequences, image_index, _ = batches[kind]
    with torch.no_grad():
        embeddings = embed(model, features, batches[kind])
        output = model.run_language_model(features, sequences, image_index, embeddings)
        for row, sequence in enumerate(sequences):
            text = model.language.embed_tokens(torch.tensor([sequence.prefix], dtype=torch.long))
            image = features.tokens[image_index[row]].flatten(1).T.unsqueeze(0)
            length = len(sequence.ids)
            whole = torch.cat([text, image, output.embeds[row : row + 1, :length]], 1)
            hidden = model.language(inputs_embeds=whole, use_cache=False).last_hidden_state
            assert torch.allclose(hidden[0, -length:], output.hidden[row, :length], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_prompts_equals_each_prompt_alone(
    model: PSALM,
    features: ImageFeatures,
    batches: Batches,
    kind: ConditionKind,
) -> None:
    together = run(model, features, batches[kind], kind)
    for row, alone in enumerate(one_by_one(batches[kind])):
        single = run(model, features, alone, kind)
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
def test_an_image_in_a_batch_equals_the_image_alone(
    model: PSALM,
    features: ImageFeatures,
    pixel_values: Tensor,
    batches: Batches,
    kind: ConditionKind,
) -> None:
    sequences, image_index, regions = one_by_one(batches[kind])[0]
    with torch.no_grad():
        only = model.encode_image(pixel_values[image_index])
    first = run(model, features, (sequences, image_index, regions), kind)
    second = run(model, only, (sequences, torch.tensor([0]), regions), kind)
    assert torch.allclose(first.scores[-1], second.scores[-1], atol=1e-8)
    assert torch.allclose(first.pred_masks[-1], second.pred_masks[-1], atol=1e-8)


def test_prompt_and_image_change_the_scores(
    model: PSALM, features: ImageFeatures, prompts: PSALMPrompts
) -> None:
    """Guards the equalities above: outputs for other prompts are not equal."""
    sequences = [prompts.sentence("cup"), prompts.sentence("tree"), prompts.sentence("cup")]
    result = run(
        model, features, (sequences, torch.tensor([0, 0, 1]), None), ConditionKind.SENTENCE
    )
    scores = result.scores[-1]
    assert (scores[0] - scores[1]).abs().max() > 1e-3
    assert (scores[0] - scores[2]).abs().max() > 1e-3


def test_text_after_the_mask_tokens_changes_nothing(
    model: PSALM, features: ImageFeatures, prompts: PSALMPrompts
) -> None:
    tokenizer = prompts.tokenizer
    ids = [*tokenize(sentence_text("psalm"), tokenizer), *tokenizer.ids("the red cup is a tree")]
    expression = [*tokenizer.ids("the cup"), tokenizer.seg]
    cut, whole = (
        assemble(ids, 6, expression=expression, keep_tail=keep_tail) for keep_tail in (False, True)
    )
    assert len(whole.ids) > len(cut.ids)
    first, second = (
        run(model, features, ([one], torch.tensor([1]), None), ConditionKind.SENTENCE)
        for one in (cut, whole)
    )
    assert torch.allclose(first.scores[-1], second.scores[-1], atol=1e-9)
    assert torch.allclose(first.pred_masks[-1], second.pred_masks[-1], atol=1e-9)


def test_the_prefix_runs_once_for_all_prompts_of_a_style(
    model: PSALM, features: ImageFeatures, batches: Batches
) -> None:
    lengths: list[int] = []
    hook = model.language.register_forward_pre_hook(
        lambda _, __, inputs: lengths.append(inputs["inputs_embeds"].shape[1]), with_kwargs=True
    )
    for kind in KINDS:
        run(model, features, batches[kind], kind)
    hook.remove()
    (prefix,) = features.prefixes.values()
    longest = [max(len(s.ids) for s in batches[kind][0]) for kind in KINDS]
    assert lengths == [prefix.hidden.shape[1], *longest]


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_are_means_over_their_positions(
    model: PSALM,
    features: ImageFeatures,
    batches: Batches,
    kind: ConditionKind,
) -> None:
    sequences, image_index, _ = batches[kind]
    with torch.no_grad():
        embeddings = embed(model, features, batches[kind])
        output = model.run_language_model(features, sequences, image_index, embeddings)
        built = model.build_queries(output, kind)
        for row, sequence in enumerate(sequences):
            tokens = output.hidden[row, : len(sequence.ids)]
            queries = tokens[torch.from_numpy(sequence.ids == Placeholder.QUERIES)]
            assert torch.allclose(built.queries[row], model.seg_query_projector(queries))
            for number in range(sequence.conditions):
                pooled = tokens[torch.from_numpy(sequence.condition == number)].mean(0)
                wanted = model.condition_projectors[kind](pooled)
                assert torch.allclose(built.conditions[row, number], wanted)
            assert built.present[row].tolist() == [
                k < sequence.conditions for k in range(built.present.shape[1])
            ]


def test_mask_tokens_enter_in_their_order(
    model: PSALM, features: ImageFeatures, prompts: PSALMPrompts
) -> None:
    sequences = [prompts.sentence("cup"), prompts.sentence("the red cup")]
    with torch.no_grad():
        output = model.run_language_model(features, sequences, torch.tensor([0, 1]))
    for row in range(2):
        entered = output.embeds[row][output.ids[row] == Placeholder.QUERIES]
        assert entered.equal(model.seg_query[: len(entered)])


def test_regions_enter_as_their_pooled_features(
    model: PSALM, features: ImageFeatures, batches: Batches
) -> None:
    sequences, image_index, _ = batches[ConditionKind.REGION]
    embeddings = embed(model, features, batches[ConditionKind.REGION])
    assert embeddings is not None
    with torch.no_grad():
        output = model.run_language_model(features, sequences, image_index, embeddings)
    assert torch.allclose(output.embeds[output.ids == Placeholder.REGION], embeddings)
    assert torch.cdist(embeddings, embeddings).fill_diagonal_(1).min() > 1e-6
