"""Greedy text generation, its end, and models that were not trained for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from vlseg_cli.models.mask2former.modeling import ImageFeatures, generate_text
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.schema import Expression, PromptRequest, Question, Sample, Task, UsageError

QUESTION = "what keeps food cold?"


@pytest.fixture
def generating(segmenter: PSALMSegmenter) -> Iterator[PSALMSegmenter]:
    """The segmenter as one that was trained to generate text."""
    segmenter.generates_text = True
    yield segmenter
    segmenter.generates_text = False


@torch.no_grad()
def test_each_token_has_the_highest_logit(
    model: PSALM, features: ImageFeatures, prompts: PSALMPrompts
) -> None:
    question = prompts.question(QUESTION)
    prefix = model.encode_prefix(features, question)
    generated = generate_text(model, prefix, 1, question, lambda _: False, most=5)
    assert len(generated) == 5
    words = model.language.embed_tokens(torch.tensor([[*question.ids.tolist(), *generated]]))
    before = model.language.embed_tokens(torch.tensor([question.prefix], dtype=torch.long))
    picture = features.tokens[1].flatten(1).T[None]
    whole = torch.cat([before.to(picture.dtype), picture, words], 1)
    hidden = model.language(inputs_embeds=whole, use_cache=False).last_hidden_state[0]
    assert model.lm_head(hidden[-6:-1]).argmax(-1).tolist() == generated


@torch.no_grad()
def test_the_end_token_and_the_positions_end_generation(
    model: PSALM, features: ImageFeatures, prompts: PSALMPrompts
) -> None:
    question = prompts.question(QUESTION)
    prefix = model.encode_prefix(features, question)
    generated = generate_text(model, prefix, 0, question, lambda _: False, most=8)
    assert (
        generate_text(model, prefix, 0, question, lambda so_far: so_far[-1:] == generated[:1])
        == generated[:1]
    )
    length = len(question.prefix) + features.tokens[0, 0].numel() + len(question.ids)
    config = model.config
    model.config = replace(config, positions=length + 2)
    assert generate_text(model, prefix, 0, question, lambda _: False) == generated[:2]
    model.config = config


def test_a_question_has_the_format_of_training(prompts: PSALMPrompts) -> None:
    question = prompts.question("  what flies? ")
    text = prompts.tokenizer.rust.decode(question.ids.tolist())
    assert "flies" in text and (question.condition == -1).all()
    assert question.conditions == 0 and len(question.prefix) > 3


def test_text_comes_beside_masks_and_alone(
    generating: PSALMSegmenter, samples: list[Sample]
) -> None:
    encoded = generating.encode([samples[0].frame])
    question = Question(QUESTION)
    requests = [
        PromptRequest(0, Task.REASON, question),
        PromptRequest(0, Task.CHAT, question),
        PromptRequest(0, Task.REFER, Expression("the cup")),
    ]
    both, words, masks = generating.predict(encoded, requests)
    assert both.text == words.text != ""
    assert both.segments and words.segments == () and masks.segments
    assert masks.text == ""


def test_a_model_without_text_training_generates_none(
    segmenter: PSALMSegmenter, samples: list[Sample]
) -> None:
    encoded = segmenter.encode([samples[0].frame])
    (prediction,) = segmenter.predict(encoded, [PromptRequest(0, Task.REASON, Question(QUESTION))])
    assert prediction.text == ""
    with pytest.raises(UsageError, match="not trained to generate text"):
        segmenter.predict(encoded, [PromptRequest(0, Task.CHAT, Question(QUESTION))])
