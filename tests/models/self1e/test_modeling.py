"""The four steps at sizes of our own: odd grids, tiles, both language models, and what
transformers' InternVL would do differently if it were let."""

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


def answer(model: SELF1E, conversation: Conversation, values: Tensor) -> SELF1EMaskOutput:
    return model(model.encode_image(values), [conversation], ONE)


@pytest.mark.parametrize("language", ["qwen2", "qwen3"])
@pytest.mark.parametrize(("size", "patch"), [(40, 4), (24, 4), (56, 28), (42, 7)])
def test_masks_are_twice_as_fine_as_patches(language: str, size: int, patch: int) -> None:
    model = tiny(language=language, image_size=size, patch_size=patch)
    asked = prompts_of(model).phrase("the cup")
    masks = answer(model, asked, pixels(1, size)).pred_masks
    assert masks.shape == (1, 2 * size // patch, 2 * size // patch)
    assert masks.std() > 0


@pytest.mark.parametrize("layout", [(1, 1), (2, 2), (1, 2), (3, 1)])
def test_tiles_of_any_layout(model: SELF1E, layout: tuple[int, int]) -> None:
    rows, columns = layout
    conversation = prompts_of(model).phrase("the cup", rows * columns)
    seen = model.encode_image(pixels(2 * rows * columns), layout)
    assert len(seen) == 2
    masks = model(seen, [conversation, conversation], torch.tensor([1, 0])).pred_masks
    assert masks.shape == (2, 20 * rows, 20 * columns)
    assert not torch.allclose(masks[0], masks[1])


def test_what_one_tile_shows_is_drawn_where_the_tile_lies(model: SELF1E) -> None:
    """Two halves side by side that change places: so does what was seen of them."""
    left, right = pixels(2)
    there = model.encode_image(torch.stack([left, right]), (1, 2)).fine
    back = model.encode_image(torch.stack([right, left]), (1, 2)).fine
    torch.testing.assert_close(there[:, :, :20], back[:, :, 20:])


def test_pictures_in_another_size_than_configured(model: SELF1E) -> None:
    smaller = tiny(image_size=24)
    conversation = prompts_of(smaller).phrase("the cup")
    assert answer(model, conversation, pixels(1, 24)).pred_masks.shape == (1, 12, 12)


def test_rows_together_are_rows_alone(model: SELF1E) -> None:
    prompts, seen = prompts_of(model), model.encode_image(pixels(3))
    texts = ["the cup", "the second red car from the left", "a tree", "the cup"]
    rows = [until_seg(prompts.phrase(text)) for text in texts]
    pictures = torch.tensor([0, 2, 1, 1])
    together = model(seen, rows, pictures)
    assert together.owner.tolist() == [0, 1, 2, 3]
    for number, row in enumerate(rows):
        alone = model(seen, [row], pictures[number : number + 1]).pred_masks
        torch.testing.assert_close(together.pred_masks[number : number + 1], alone)


def test_what_follows_seg_changes_nothing(model: SELF1E) -> None:
    whole = prompts_of(model).phrase("the cup")
    one, other = (answer(model, row, pixels(1)).pred_masks for row in (whole, until_seg(whole)))
    torch.testing.assert_close(one, other)


def test_a_row_with_several_seg_and_one_without(model: SELF1E) -> None:
    prompts = prompts_of(model)
    rows = [
        prompts.conversation([("the cup ?", "it is [SEG] and [SEG].")]),
        prompts.conversation([("the cup ?", "the cup")]),
        prompts.phrase("the cup"),
    ]
    answered = model(model.encode_image(pixels(1)), rows, torch.tensor([0, 0, 0]))
    assert answered.owner.tolist() == [0, 0, 2]
    assert answered.pred_masks.shape == (3, 20, 20)


def test_what_was_asked_reaches_the_picture(model: SELF1E) -> None:
    prompts, seen = prompts_of(model), model.encode_image(pixels(1))
    rows = [prompts.phrase("the cup"), prompts.phrase("the red")]
    read = model.run_language_model(seen, rows, torch.tensor([0, 0]))
    image = read.hidden[read.inputs.image].view(2, -1, read.hidden.shape[-1])
    assert not torch.allclose(image[0], image[1])


def test_no_word_of_the_vocabulary_is_scored_for_a_mask(model: SELF1E) -> None:
    scored: list[Tensor] = []
    hook = model.internvl.lm_head.register_forward_hook(lambda *_: scored.append(ONE))
    answer(model, prompts_of(model).phrase("the cup"), pixels(1))
    hook.remove()
    assert not scored


def test_generation_together_is_generation_alone(model: SELF1E) -> None:
    prompts, seen = prompts_of(model), model.encode_image(pixels(2))
    rows = [prompts.question("the cup ?"), prompts.question("is there a red car on the left ?")]
    pictures = torch.tensor([1, 0])
    together = model.generate(seen, rows, pictures, end=prompts.end, max_tokens=6, min_tokens=6)
    assert together.shape == (2, 6)
    for number, row in enumerate(rows):
        alone = model.generate(
            seen, [row], pictures[number : number + 1], end=prompts.end, max_tokens=6, min_tokens=6
        )
        assert together[number].tolist() == alone[0].tolist()


def test_generation_is_what_causal_reading_says(model: SELF1E) -> None:
    """Token by token, by the scores of the whole conversation so far."""
    prompts, seen = prompts_of(model), model.encode_image(pixels(1))
    row = prompts.question("the cup ?")
    generated = model.generate(seen, [row], ONE, end=prompts.end, max_tokens=5, min_tokens=5)[
        0
    ].tolist()
    for count, token in enumerate(generated):
        so_far, _ = prompts.with_answer(row, generated[:count])
        read = model.run_language_model(seen, [so_far], ONE)
        scores = model.internvl.lm_head(read.hidden[0, len(row.ids) - 1 + count])
        scores[prompts.end] = float("-inf")  # not before its shortest length
        assert int(scores.argmax()) == token


# Traps of transformers ----------------------------------------------------------------------------


def test_the_output_head_is_not_tied_to_the_embeddings(model: SELF1E) -> None:
    head, embeddings = model.internvl.lm_head.weight, model.internvl.get_input_embeddings().weight
    assert head.data_ptr() != embeddings.data_ptr() and not head.equal(embeddings)
    model.internvl.tie_weights()
    assert model.internvl.lm_head.weight.data_ptr() != embeddings.data_ptr()
    assert "internvl.lm_head.weight" in model.state_dict()


def test_attention_is_one_that_takes_the_mask(model: SELF1E) -> None:
    internvl = model.internvl.model
    for tower in (internvl.language_model, internvl.vision_tower):
        assert tower.config._attn_implementation == "sdpa"


def test_the_vision_tower_ends_without_a_norm(model: SELF1E) -> None:
    assert not [n for n in model.state_dict() if n.startswith("internvl.model.vision_tower.layern")]


def test_padding_is_an_id_that_hides_wherever_it_stands() -> None:
    """The authors pad with 0, which is Qwen's '!': a word of that id is seen by nobody."""
    loud = tiny(padding=SIZES["image_size"])
    word, other = loud.config.padding, loud.config.padding + 1
    prompts, seen = prompts_of(loud), loud.encode_image(pixels(1))
    asked = prompts.phrase("the cup")
    place = len(asked.ids) - 10
    masks = []
    for token in (word, other):
        ids = asked.ids.copy()
        ids[place] = token
        row = Conversation(ids, asked.image, asked.seg, asked.answer)
        rows = pad_conversations([row], word, ONE.device)
        assert rows.padding[0, place].item() is (token == word)
        assert rows.positions[0].tolist() == list(range(len(ids)))
        read = loud.run_language_model(seen, [row], ONE)
        masks.append(read.hidden[0, -1])
    assert not torch.allclose(*masks)
    embeddings = loud.internvl.get_input_embeddings().weight
    before = loud.run_language_model(seen, [row_with(asked, place, word)], ONE).hidden
    embeddings[word] += 1
    after = loud.run_language_model(seen, [row_with(asked, place, word)], ONE).hidden
    assert not torch.allclose(before[0, place], after[0, place])
    seen_by_others = torch.arange(before.shape[1]) != place
    torch.testing.assert_close(before[0, seen_by_others], after[0, seen_by_others])


def row_with(asked: Conversation, place: int, token: int) -> Conversation:
    ids = asked.ids.copy()
    ids[place] = token
    return Conversation(ids, asked.image, asked.seg, asked.answer)
