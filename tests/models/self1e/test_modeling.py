"""The four steps at other sizes than the published: odd grids, tiles, both language models;
and the defaults of transformers' InternVL that would change the results."""

from collections.abc import Iterator

import pytest
import torch
from models.self1e_tiny import SIZES, prompts_of, tiny
from torch import Tensor

from vlseg_cli.models.self1e.modeling import SELF1E, SELF1EMaskOutput, pad_conversations
from vlseg_cli.models.self1e.prompts import Conversation, until_seg

ONE = torch.tensor([0])


@pytest.fixture(scope="module")
def model() -> SELF1E:
    return tiny()


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def pixels(count: int, size: int = 40) -> Tensor:
    torch.manual_seed(4)
    return torch.randn(count, 3, size, size).double()


def decode(model: SELF1E, conversation: Conversation, values: Tensor) -> SELF1EMaskOutput:
    return model(model.encode_image(values), [conversation], ONE)


@pytest.mark.parametrize("language", ["qwen2", "qwen3"])
@pytest.mark.parametrize(("size", "patch"), [(40, 4), (24, 4), (56, 28), (42, 7)])
def test_masks_are_twice_as_fine_as_patches(language: str, size: int, patch: int) -> None:
    model = tiny(language=language, image_size=size, patch_size=patch)
    conversation = prompts_of(model).phrase("the cup")
    masks = decode(model, conversation, pixels(1, size)).pred_masks
    assert masks.shape == (1, 2 * size // patch, 2 * size // patch)
    assert masks.std() > 0


@pytest.mark.parametrize("layout", [(1, 1), (2, 2), (1, 2), (3, 1)])
def test_masks_have_the_layout_of_the_tiles(model: SELF1E, layout: tuple[int, int]) -> None:
    rows, columns = layout
    conversation = prompts_of(model).phrase("the cup", rows * columns)
    image_features = model.encode_image(pixels(2 * rows * columns), layout)
    assert len(image_features) == 2
    masks = model(image_features, [conversation, conversation], torch.tensor([1, 0])).pred_masks
    assert masks.shape == (2, 20 * rows, 20 * columns)
    assert not torch.allclose(masks[0], masks[1])


def test_features_follow_the_position_of_their_tile(model: SELF1E) -> None:
    """Swapping two tiles side by side swaps their features."""
    left, right = pixels(2)
    original = model.encode_image(torch.stack([left, right]), (1, 2)).fine
    swapped = model.encode_image(torch.stack([right, left]), (1, 2)).fine
    torch.testing.assert_close(original[:, :, :20], swapped[:, :, 20:])


def test_masks_have_the_configured_image_size(model: SELF1E) -> None:
    smaller = tiny(image_size=24)
    conversation = prompts_of(smaller).phrase("the cup")
    assert decode(model, conversation, pixels(1, 24)).pred_masks.shape == (1, 12, 12)


def test_batched_conversations_equal_single_ones(model: SELF1E) -> None:
    prompts, image_features = prompts_of(model), model.encode_image(pixels(3))
    texts = ["the cup", "the second red car from the left", "a tree", "the cup"]
    rows = [until_seg(prompts.phrase(text)) for text in texts]
    image_index = torch.tensor([0, 2, 1, 1])
    together = model(image_features, rows, image_index)
    assert together.owner.tolist() == [0, 1, 2, 3]
    for number, row in enumerate(rows):
        alone = model(image_features, [row], image_index[number : number + 1]).pred_masks
        torch.testing.assert_close(together.pred_masks[number : number + 1], alone)


def test_tokens_after_seg_have_no_effect(model: SELF1E) -> None:
    whole = prompts_of(model).phrase("the cup")
    one, other = (decode(model, row, pixels(1)).pred_masks for row in (whole, until_seg(whole)))
    torch.testing.assert_close(one, other)


def test_conversations_with_several_seg_tokens_and_without(model: SELF1E) -> None:
    prompts = prompts_of(model)
    rows = [
        prompts.conversation([("the cup ?", "it is [SEG] and [SEG].")]),
        prompts.conversation([("the cup ?", "the cup")]),
        prompts.phrase("the cup"),
    ]
    output = model(model.encode_image(pixels(1)), rows, torch.tensor([0, 0, 0]))
    assert output.owner.tolist() == [0, 0, 2]
    assert output.pred_masks.shape == (3, 20, 20)


def test_image_tokens_attend_to_the_prompt(model: SELF1E) -> None:
    prompts, image_features = prompts_of(model), model.encode_image(pixels(1))
    rows = [prompts.phrase("the cup"), prompts.phrase("the red")]
    language_output = model.run_language_model(image_features, rows, torch.tensor([0, 0]))
    image = language_output.hidden[language_output.inputs.image].view(
        2, -1, language_output.hidden.shape[-1]
    )
    assert not torch.allclose(image[0], image[1])


def test_the_output_head_is_not_run_for_masks(model: SELF1E) -> None:
    scored: list[Tensor] = []
    hook = model.internvl.lm_head.register_forward_hook(lambda *_: scored.append(ONE))
    decode(model, prompts_of(model).phrase("the cup"), pixels(1))
    hook.remove()
    assert not scored


def test_batched_generation_equals_single_generation(model: SELF1E) -> None:
    prompts, image_features = prompts_of(model), model.encode_image(pixels(2))
    rows = [prompts.question("the cup ?"), prompts.question("is there a red car on the left ?")]
    image_index = torch.tensor([1, 0])
    together = model.generate(
        image_features, rows, image_index, end=prompts.end, max_tokens=6, min_tokens=6
    )
    assert together.shape == (2, 6)
    for number, row in enumerate(rows):
        alone = model.generate(
            image_features,
            [row],
            image_index[number : number + 1],
            end=prompts.end,
            max_tokens=6,
            min_tokens=6,
        )
        assert together[number].tolist() == alone[0].tolist()


def test_generation_with_cache_equals_full_passes(model: SELF1E) -> None:
    """Token by token, by the scores of the whole conversation so far."""
    prompts, image_features = prompts_of(model), model.encode_image(pixels(1))
    row = prompts.question("the cup ?")
    generated = model.generate(
        image_features, [row], ONE, end=prompts.end, max_tokens=5, min_tokens=5
    )[0].tolist()
    for count, token in enumerate(generated):
        so_far, _ = prompts.with_answer(row, generated[:count])
        language_output = model.run_language_model(image_features, [so_far], ONE)
        scores = model.internvl.lm_head(language_output.hidden[0, len(row.ids) - 1 + count])
        scores[prompts.end] = float("-inf")  # not before its shortest length
        assert int(scores.argmax()) == token


# Traps of transformers ----------------------------------------------------------------------------


def test_the_output_head_is_not_tied_to_the_embeddings(model: SELF1E) -> None:
    head, embeddings = model.internvl.lm_head.weight, model.internvl.get_input_embeddings().weight
    assert head.data_ptr() != embeddings.data_ptr() and not head.equal(embeddings)
    model.internvl.tie_weights()
    assert model.internvl.lm_head.weight.data_ptr() != embeddings.data_ptr()
    assert "internvl.lm_head.weight" in model.state_dict()


def test_the_attention_implementation_supports_the_mask(model: SELF1E) -> None:
    internvl = model.internvl.model
    for tower in (internvl.language_model, internvl.vision_tower):
        assert tower.config._attn_implementation == "sdpa"


def test_the_vision_tower_has_no_final_norm(model: SELF1E) -> None:
    assert not [n for n in model.state_dict() if n.startswith("internvl.model.vision_tower.layern")]


def test_the_padding_id_is_masked_at_every_position() -> None:
    """The authors pad with 0, Qwen's '!': no other token attends to a token of that id."""
    model = tiny(padding=SIZES["image_size"])
    padding_token, other = model.config.padding, model.config.padding + 1
    prompts, image_features = (
        prompts_of(model),
        model.encode_image(pixels(1)),
    )
    conversation = prompts.phrase("the cup")
    position = len(conversation.ids) - 10
    masks = []
    for token in (padding_token, other):
        ids = conversation.ids.copy()
        ids[position] = token
        row = Conversation(ids, conversation.image, conversation.seg, conversation.answer)
        rows = pad_conversations([row], padding_token, ONE.device)
        assert rows.padding[0, position].item() is (token == padding_token)
        assert rows.positions[0].tolist() == list(range(len(ids)))
        language_output = model.run_language_model(image_features, [row], ONE)
        masks.append(language_output.hidden[0, -1])
    assert not torch.allclose(*masks)
    embeddings = model.internvl.get_input_embeddings().weight
    before = model.run_language_model(
        image_features, [row_with(conversation, position, padding_token)], ONE
    ).hidden
    embeddings[padding_token] += 1
    after = model.run_language_model(
        image_features, [row_with(conversation, position, padding_token)], ONE
    ).hidden
    assert not torch.allclose(before[0, position], after[0, position])
    other_positions = torch.arange(before.shape[1]) != position
    torch.testing.assert_close(before[0, other_positions], after[0, other_positions])


def row_with(conversation: Conversation, position: int, token: int) -> Conversation:
    ids = conversation.ids.copy()
    ids[position] = token
    return Conversation(ids, conversation.image, conversation.seg, conversation.answer)
