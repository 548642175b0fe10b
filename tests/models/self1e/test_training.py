"""A few training steps: losses fall, saved models predict the same, adapters are merged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.self1e_tiny import SIZES
from torch import Tensor

from vlseg_cli.models.registry import build_trainable, load_model
from vlseg_cli.models.self1e.collator import SELF1EBatch
from vlseg_cli.models.self1e.training import TrainableSELF1E
from vlseg_cli.schema import (
    Expression,
    Frame,
    PromptRequest,
    Query,
    Question,
    RecipeError,
    Sample,
    Task,
    WeightsError,
)
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.synthetic.text_samples import text_sample
from vlseg_cli.training.vocabulary import synthetic_vocabulary

# What the paper's recipe adapts: both towers.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TARGETS += ("projection_layer", "fc1", "fc2")
LEARNING = {"dense_names": 1.0, "sentence_class": 0.3, "names": 1}


def fresh(losses: dict[str, Any] | None = None, **changes: Any) -> TrainableSELF1E:
    torch.manual_seed(2)
    model = build_trainable(
        "self1e", synthetic_vocabulary(), {**SIZES, "prompt_style": "plain", **changes}, losses
    )
    assert isinstance(model, TrainableSELF1E)
    return model


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    mix = SampleMix(sentences=2, questions=1, regions=1, no_target=0.0)
    return [synthetic_sample(seed, 96, mix) for seed in (5, 6)]


@pytest.fixture(scope="module")
def batch(samples: list[Sample]) -> SELF1EBatch:
    return fresh(LEARNING).collator()(samples)


def test_every_query_becomes_a_conversation(batch: SELF1EBatch, samples: list[Sample]) -> None:
    assert batch.pixel_values.shape == (2, 3, 40, 40)
    assert batch.image_index.tolist() == [0] * 4 + [1] * 4  # two sentences, a question, a name
    assert [len(target) for target in batch.targets] == [1] * 8
    assert batch.semantic.shape == (2, 20, 20) and batch.semantic.max() < len(NAMES)
    torch.testing.assert_close(batch.category_shares.sum(1), torch.ones(8))
    truths = [q.masks.any(0) for s in samples for q in s.queries if q.task is Task.REFER]
    areas = [target.mean().item() for target in batch.targets]
    assert areas[1] == pytest.approx(truths[0].mean(), abs=0.01)


def test_word_dropout_spares_special_tokens(samples: list[Sample]) -> None:
    model = fresh(LEARNING)
    collator = model.collator()
    collator.word_dropout, collator.category_prompts = 1.0, 0
    unknown = model.tokenizer.unknown
    for row in collator(samples).conversations:
        words = ~collator.prompts.is_special(row.ids)
        assert (row.ids[words] == unknown).all() and row.seg.sum() == 1
        assert (row.ids[row.seg] == model.tokenizer.seg).all()


def test_text_answers_have_no_mask() -> None:
    frame = Frame(np.zeros((200, 300, 3), np.uint8), "dark")
    none, no = np.zeros((0, 200, 300), bool), np.zeros(0, np.int64)
    query = Query(Task.CHAT, Question("what is it ?"), none, no, answers=("the cup",))
    refer_query = Query(Task.REFER, Expression("the cup"), np.ones((1, 200, 300), bool), no[:1])
    model = fresh()
    batch = model.collator()([Sample(frame, (query, refer_query))])
    assert [len(target) for target in batch.targets] == [0, 1]
    assert batch.targets[1].shape == (1, 128, 192)  # the shorter side is 128 at most
    answer_texts = [model.tokenizer.text(c.ids[c.answer].tolist()) for c in batch.conversations]
    assert answer_texts == ["the cup", ""] and batch.conversations[1].seg.sum() == 1
    losses = model(batch)
    torch.stack(list(losses.values())).sum().backward()
    assert all(loss.isfinite() for loss in losses.values())


def test_a_few_steps_reduce_the_loss(batch: SELF1EBatch) -> None:
    model = fresh(LEARNING)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    totals = []
    for _ in range(12):
        losses = model(batch)
        total = torch.stack(list(losses.values())).sum()
        total.backward()
        optimizer.step()
        optimizer.zero_grad()
        totals.append(total.item())
    assert set(losses) == {"language", "bce", "dice", "sentence_class", "dense_names"}
    assert totals[-1] < 0.7 * totals[0]


def test_every_part_gets_a_gradient(batch: SELF1EBatch) -> None:
    model = fresh(LEARNING)
    torch.stack(list(model(batch).values())).sum().backward()
    without_gradient = {
        n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()
    }
    assert {n.split(".")[1] for n in without_gradient} <= {"color", "position", "anchor"}


def test_text_pretraining_does_not_train_the_vision_tower() -> None:
    model = fresh(LEARNING)
    text_samples = [text_sample(np.random.default_rng(n)) for n in range(6)]
    losses = model(model.text_collator()(text_samples))
    assert {"text_category_query", "text_category_seg", "text_next_token"} <= losses.keys()
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is None for p in model.model.internvl.model.vision_tower.parameters())


def test_dense_pretraining_needs_no_sentences(samples: list[Sample]) -> None:
    model = fresh(LEARNING)
    assert set(model(model.dense_collator()(samples))) == {"dense_names"}
    with pytest.raises(RecipeError, match="dense_names = 0"):
        fresh().dense_collator()


def test_every_parameter_is_in_one_group() -> None:
    model = fresh()
    model.add_lora(2, 4.0, 0.0, TARGETS)
    groups = model.parameter_groups()
    assert next(iter(groups)) == "lora" and len(groups["lora"]) == 2 * (3 * 7 + 2 * 6)
    every = [id(p) for group in groups.values() for p in group]
    assert sorted(every) == sorted(id(p) for p in model.parameters())


def segments_of(folder: Path, sample: Sample) -> list[Any]:
    model = load_model(str(folder), "cpu")
    requests = [PromptRequest(0, q.task, q.prompt) for q in sample.queries if q.task is Task.REFER]
    return [p.segments for p in model.predict(model.encode([sample.frame]), requests)]


def test_a_saved_model_predicts_and_initializes_another(
    samples: list[Sample], tmp_path: Path, batch: SELF1EBatch
) -> None:
    model = fresh(LEARNING)
    model.save(tmp_path / "first", "# A card\n")
    expected = segments_of(tmp_path / "first", samples[0])
    assert any(expected)
    other = fresh(LEARNING)
    torch.nn.init.normal_(other.model.refill.describe[0].weight)
    other.init_from(tmp_path / "first")
    other.save(tmp_path / "again", "# A card\n")
    assert segments_of(tmp_path / "again", samples[0]) == expected
    with pytest.raises(WeightsError, match="instead of"):
        fresh(language_feedforward=16).init_from(tmp_path / "first")


def test_new_adapters_change_nothing_and_saving_merges_them(
    batch: SELF1EBatch, tmp_path: Path
) -> None:
    model = fresh()
    model.eval()

    def masks() -> Tensor:
        with torch.no_grad():
            image_features = model.model.encode_image(batch.pixel_values)
            return model.model(image_features, batch.conversations, batch.image_index).pred_masks

    before = masks()
    model.add_lora(4, 8.0, 0.5, TARGETS)
    model.eval()
    torch.testing.assert_close(masks(), before)
    for parameter in model.parameter_groups()["lora"]:
        torch.nn.init.normal_(parameter, std=0.2)
    adapted = masks()
    assert not torch.allclose(adapted, before, atol=1e-3)
    model.save(tmp_path / "merged", "# A card\n")
    plain = fresh()
    plain.init_from(tmp_path / "merged")
    plain.eval()
    model = plain
    torch.testing.assert_close(masks(), adapted, atol=2e-2, rtol=0)  # stored in half precision


def test_only_adapters_and_heads_are_trained_as_in_the_paper(batch: SELF1EBatch) -> None:
    model = fresh()
    model.add_lora(4, 8.0, 0.05, TARGETS)
    trained = {
        id(p)
        for g in ("lora", "projector", "vocabulary", "refill")
        for p in model.parameter_groups()[g]
    }
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in trained)
    torch.stack(list(model(batch).values())).sum().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) is (id(parameter) in trained), name


def test_invalid_training_settings_are_rejected() -> None:
    with pytest.raises(RecipeError, match="unknown key 'focal'"):
        fresh({"focal": 1.0})
    with pytest.raises(RecipeError, match="no multiple of 8"):
        fresh().collator(100)
    with pytest.raises(WeightsError, match="language = 'llama'; known are qwen2, qwen3"):
        fresh(language="llama")
    with pytest.raises(WeightsError, match="the SELF1E configuration: unknown key 'layers'"):
        fresh(layers=3)
    with pytest.raises(WeightsError, match="image_size is 42, no multiple of 8"):
        fresh(image_size=42)
