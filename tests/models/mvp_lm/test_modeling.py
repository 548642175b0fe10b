"""The four steps: prompts about one picture do not disturb each other, with ``<PER>`` or not."""

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
def pictures() -> Tensor:
    return torch.randn(2, 3, 64, 64, dtype=torch.float64, generator=torch.manual_seed(1))


@torch.no_grad()
def test_several_prompts_are_answered_as_each_alone(
    model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor
) -> None:
    kind, seen = ConditionKind.CATEGORY, model.encode_image(pictures)
    sequences = [prompts.names(names, Task.PANOPTIC) for names in NAMES]
    owners = torch.tensor([1, 1, 0])
    together = model(seen, sequences, owners, kind, stuff=True).levels[-1]
    for row, (sequence, owner) in enumerate(zip(sequences, owners, strict=True)):
        alone = model(seen, [sequence], owner[None], kind, stuff=True).levels[-1]
        count = sequence.conditions
        assert torch.allclose(together.scores[row, :, :count], alone.scores[0])
        assert not together.scores[row, :, count:].isfinite().any()
        assert torch.allclose(together.boxes[row], alone.boxes[0])
        assert torch.allclose(together.pred_masks[row], alone.pred_masks[0])


@torch.no_grad()
def test_the_last_level_alone_is_the_last_of_all(
    model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor
) -> None:
    kind, seen, owner = ConditionKind.SENTENCE, model.encode_image(pictures), torch.tensor([0])
    read = model.run_language_model(seen, [prompts.sentence("the red cup")], owner)
    asked = model.build_queries(seen, owner, model.pool(read), kind)
    every = model.decode_masks(seen, owner, asked, kind, all_levels=True)
    (last,) = model.decode_masks(seen, owner, asked, kind).levels
    assert len(every.levels) == model.config.decoder_layers + 1
    assert all(torch.allclose(a, b) for a, b in zip(every.levels[-1], last, strict=True))


@torch.no_grad()
def test_chosen_places_are_the_most_similar(
    model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor
) -> None:
    kind, seen, owner = ConditionKind.CATEGORY, model.encode_image(pictures), torch.tensor([1])
    read = model.run_language_model(seen, [prompts.names(NAMES[0], Task.INSTANCE)], owner)
    asked = model.build_queries(seen, owner, model.pool(read), kind)
    projected, valid = model.project(seen, kind)
    each = (projected[1] @ asked.conditions[0, :-1].T).amax(1)  # without background
    each[~valid] = float("-inf")
    best = each.argsort(descending=True)[: asked.locations.shape[1]]
    assert asked.locations[0].tolist() == best.tolist()
    features = model.selection(flatten_maps(seen.pixels.memory)).features
    assert torch.equal(asked.queries[0], features[1, asked.locations[0]])


@torch.no_grad()
def test_denoising_queries_change_no_other(
    model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor
) -> None:
    kind, seen, owners = ConditionKind.CATEGORY, model.encode_image(pictures), torch.tensor([0, 0])
    sequences = [prompts.names(names, Task.PANOPTIC) for names in NAMES[:2]]
    asked = model.build_queries(
        seen, owners, model.pool(model.run_language_model(seen, sequences, owners)), kind, True
    )
    boxes = [torch.tensor([[0.5, 0.5, 0.2, 0.2]]), torch.tensor([[0.2, 0.3, 0.1, 0.2]] * 2)]
    noise = denoising_queries(asked.conditions, boxes, [torch.tensor([0]), torch.tensor([1, 2])], 7)
    assert noise is not None
    with_noise = model.decode_masks(seen, owners, asked, kind, all_levels=True, noise=noise)
    without = model.decode_masks(seen, owners, asked, kind, all_levels=True)
    assert [len(level.boxes[0]) for level in with_noise.denoised] == [6] * len(without.levels)
    for noisy, clean in zip(with_noise.levels, without.levels, strict=True):
        assert all(torch.allclose(a, b) for a, b in zip(noisy, clean, strict=True))


@torch.no_grad()
def test_speaking_together_is_speaking_alone(
    model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor, tokenizer: Tokenizer
) -> None:
    seen, owners = model.encode_image(pictures), torch.tensor([0, 1, 1])
    texts = ("cup", "the large tree left of the house", "the dog")
    sequences = [prompts.sentence(text) for text in texts]
    stops = frozenset({tokenizer.rust.token_to_id(SUMMARY)})
    together = generate_captions(model, seen, sequences, owners, stops)
    for said, sequence, owner in zip(together, sequences, owners, strict=True):
        assert [said] == generate_captions(model, seen, [sequence], owner[None], stops)
    assert max(map(len, together)) == model.config.caption_tokens  # nothing taught it to stop
    assert generate_captions(
        model, seen, sequences[:1], owners[:1], frozenset({together[0][0]})
    ) == [[]]


@torch.no_grad()
def test_what_is_said_is_most_likely(model: MVPLM, prompts: MVPLMPrompts, pictures: Tensor) -> None:
    """Read again as a whole, each word said is the likeliest after those before it."""
    seen, owner = model.encode_image(pictures), torch.tensor([1])
    asked = prompts.sentence("the large tree left of the house")
    (said,) = generate_captions(model, seen, [asked], owner, frozenset())
    whole = model.run_language_model(seen, [prompts.with_caption(asked, said)], owner)
    likeliest = model.lm_head(whole.hidden)[0].argmax(-1)
    first = len(asked.ids) - 1
    assert likeliest[first - 1 : first - 1 + len(said)].tolist() == said


@torch.no_grad()
def test_the_summary_token_moves_the_queries(tokenizer: Tokenizer, pictures: Tensor) -> None:
    summary = tokenizer.rust.token_to_id(SUMMARY)
    model = random_model(tokenizer, summary_token=summary)
    prompts = MVPLMPrompts(tokenizer, "plain", summary)
    seen, owner, kind = model.encode_image(pictures), torch.tensor([0]), ConditionKind.SENTENCE
    asked = prompts.sentence("the cup")
    results = []
    for caption in ("a red cup", "a dog and a tree"):
        read = model.run_language_model(
            seen, [prompts.with_caption(asked, tokenizer.ids(caption))], owner
        )
        results.append(model.build_queries(seen, owner, model.pool(read), kind))
    assert torch.equal(results[0].queries, results[1].queries)  # the instruction is the same
    assert not torch.allclose(results[0].base, results[1].base)
    for parameter in model.base_query[-1].parameters():
        parameter.zero_()
    read = model.run_language_model(seen, [prompts.with_caption(asked, [])], owner)
    assert not model.build_queries(seen, owner, model.pool(read), kind).base.any()
