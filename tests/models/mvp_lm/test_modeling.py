"""The four steps: prompts of one batch are independent, with ``<PER>`` or without."""

import pytest
import torch
from models.mvp_lm_models import random_model, tokenizer_with_summary
from torch import Tensor

from vlseg_cli.models.mvp_lm.language import generate_captions
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.mvp_lm.prompts import SUMMARY, MVPLMPrompts
from vlseg_cli.nn.deformable import flatten_maps
from vlseg_cli.nn.mask_dino import denoising_queries
from vlseg_cli.schema import Task
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.tokenizer import Tokenizer

NAMES = (["cup", "table"], ["cup", "red cup", "wall", "tree"], ["dog"])


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizer_with_summary()


@pytest.fixture(scope="module", params=["released", "paper"])
def model(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> MVPLM:
    summary = tokenizer.rust.token_to_id(SUMMARY) if request.param == "paper" else None
    return random_model(tokenizer, summary_token=summary)


@pytest.fixture(scope="module")
def prompts(model: MVPLM, tokenizer: Tokenizer) -> MVPLMPrompts:
    return MVPLMPrompts(tokenizer, "plain", model.config.summary_token)


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(2, 3, 64, 64, dtype=torch.float64, generator=torch.manual_seed(1))


@torch.no_grad()
def test_batched_prompts_equal_single_prompts(
    model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor
) -> None:
    kind, image_features = ConditionKind.CATEGORY, model.encode_image(pixels)
    sequences = [prompts.names(names, Task.PANOPTIC) for names in NAMES]
    owners = torch.tensor([1, 1, 0])
    together = model(image_features, sequences, owners, kind, stuff=True).levels[-1]
    for row, (sequence, owner) in enumerate(zip(sequences, owners, strict=True)):
        alone = model(image_features, [sequence], owner[None], kind, stuff=True).levels[-1]
        count = sequence.conditions
        assert torch.allclose(together.scores[row, :, :count], alone.scores[0])
        assert not together.scores[row, :, count:].isfinite().any()
        assert torch.allclose(together.boxes[row], alone.boxes[0])
        assert torch.allclose(together.pred_masks[row], alone.pred_masks[0])


@torch.no_grad()
def test_decoding_the_last_level_only_equals_the_last_of_all_levels(
    model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor
) -> None:
    kind, image_features, owner = (
        ConditionKind.SENTENCE,
        model.encode_image(pixels),
        torch.tensor([0]),
    )
    language_output = model.run_language_model(
        image_features, [prompts.sentence("the red cup")], owner
    )
    queries = model.build_queries(image_features, owner, model.pool(language_output), kind)
    every = model.decode_masks(image_features, owner, queries, kind, all_levels=True)
    (last,) = model.decode_masks(image_features, owner, queries, kind).levels
    assert len(every.levels) == model.config.decoder_layers + 1
    assert all(torch.allclose(a, b) for a, b in zip(every.levels[-1], last, strict=True))


@torch.no_grad()
def test_selected_locations_are_the_most_similar(
    model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor
) -> None:
    kind, image_features, owner = (
        ConditionKind.CATEGORY,
        model.encode_image(pixels),
        torch.tensor([1]),
    )
    language_output = model.run_language_model(
        image_features, [prompts.names(NAMES[0], Task.INSTANCE)], owner
    )
    queries = model.build_queries(image_features, owner, model.pool(language_output), kind)
    projected, valid = model.project(image_features, kind)
    each = (projected[1] @ queries.conditions[0, :-1].T).amax(1)  # without background
    each[~valid] = float("-inf")
    best = each.argsort(descending=True)[: queries.locations.shape[1]]
    assert queries.locations[0].tolist() == best.tolist()
    features = model.selection(flatten_maps(image_features.pixels.memory)).features
    assert torch.equal(queries.queries[0], features[1, queries.locations[0]])


@torch.no_grad()
def test_denoising_queries_do_not_affect_other_queries(
    model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor
) -> None:
    kind, image_features, owners = (
        ConditionKind.CATEGORY,
        model.encode_image(pixels),
        torch.tensor([0, 0]),
    )
    sequences = [prompts.names(names, Task.PANOPTIC) for names in NAMES[:2]]
    queries = model.build_queries(
        image_features,
        owners,
        model.pool(model.run_language_model(image_features, sequences, owners)),
        kind,
        True,
    )
    boxes = [torch.tensor([[0.5, 0.5, 0.2, 0.2]]), torch.tensor([[0.2, 0.3, 0.1, 0.2]] * 2)]
    noise = denoising_queries(
        queries.conditions, boxes, [torch.tensor([0]), torch.tensor([1, 2])], 7
    )
    assert noise is not None
    with_noise = model.decode_masks(
        image_features, owners, queries, kind, all_levels=True, noise=noise
    )
    without = model.decode_masks(image_features, owners, queries, kind, all_levels=True)
    assert [len(level.boxes[0]) for level in with_noise.denoised] == [6] * len(without.levels)
    for noisy, clean in zip(with_noise.levels, without.levels, strict=True):
        assert all(torch.allclose(a, b) for a, b in zip(noisy, clean, strict=True))


@torch.no_grad()
def test_batched_generation_equals_single_generation(
    model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor, tokenizer: Tokenizer
) -> None:
    image_features, owners = model.encode_image(pixels), torch.tensor([0, 1, 1])
    texts = ("cup", "the large tree left of the house", "the dog")
    sequences = [prompts.sentence(text) for text in texts]
    stops = frozenset({tokenizer.rust.token_to_id(SUMMARY)})
    together = generate_captions(model, image_features, sequences, owners, stops)
    for generated, sequence, owner in zip(together, sequences, owners, strict=True):
        assert [generated] == generate_captions(
            model, image_features, [sequence], owner[None], stops
        )
    assert max(map(len, together)) == model.config.caption_tokens  # nothing taught it to stop
    assert generate_captions(
        model, image_features, sequences[:1], owners[:1], frozenset({together[0][0]})
    ) == [[]]


@torch.no_grad()
def test_generation_is_greedy(model: MVPLM, prompts: MVPLMPrompts, pixels: Tensor) -> None:
    """In one pass over the whole text, each generated token is the most likely one."""
    image_features, owner = model.encode_image(pixels), torch.tensor([1])
    sequence = prompts.sentence("the large tree left of the house")
    (generated,) = generate_captions(model, image_features, [sequence], owner, frozenset())
    whole = model.run_language_model(
        image_features, [prompts.with_caption(sequence, generated)], owner
    )
    likeliest = model.lm_head(whole.hidden)[0].argmax(-1)
    first = len(sequence.ids) - 1
    assert likeliest[first - 1 : first - 1 + len(generated)].tolist() == generated


@torch.no_grad()
def test_the_summary_token_shifts_the_queries(tokenizer: Tokenizer, pixels: Tensor) -> None:
    summary = tokenizer.rust.token_to_id(SUMMARY)
    model = random_model(tokenizer, summary_token=summary)
    prompts = MVPLMPrompts(tokenizer, "plain", summary)
    image_features, owner, kind = (
        model.encode_image(pixels),
        torch.tensor([0]),
        ConditionKind.SENTENCE,
    )
    sequence = prompts.sentence("the cup")
    results = []
    for caption in ("a red cup", "a dog and a tree"):
        language_output = model.run_language_model(
            image_features, [prompts.with_caption(sequence, tokenizer.ids(caption))], owner
        )
        results.append(
            model.build_queries(image_features, owner, model.pool(language_output), kind)
        )
    assert torch.equal(results[0].queries, results[1].queries)  # the instruction is the same
    assert not torch.allclose(results[0].base, results[1].base)
    for parameter in model.base_query[-1].parameters():
        parameter.zero_()
    language_output = model.run_language_model(
        image_features, [prompts.with_caption(sequence, [])], owner
    )
    assert not model.build_queries(
        image_features, owner, model.pool(language_output), kind
    ).base.any()
