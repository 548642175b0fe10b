"""Losses are finite and reach every part, whatever annotations the batch lacks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.mvp_lm_models import SIZES

from vlseg_cli.models.mvp_lm.collator import list_names
from vlseg_cli.models.mvp_lm.training import MVPLMLosses, TrainableMVPLM
from vlseg_cli.models.registry import build_trainable, load_model
from vlseg_cli.models.training import read_losses
from vlseg_cli.schema import Categories, Expression, PromptRequest, Query, RecipeError, Sample, Task
from vlseg_cli.synthetic.text_samples import text_sample
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import load_tensors

CELLS = {"points": 0, "denoising": 12}
AUXILIARY = {"dense_names": 1.0, "sentence_class": 0.3, "selection": 1.0}
DESIGNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "miniature": ({"coordinates": True, "sentence_queries": 3}, {**CELLS, **AUXILIARY}),
    "released": ({"prompt_style": "released"}, {"points": 48, "denoising": 12}),
    "paper": ({"prompt_style": "paper", "summary": True}, {**CELLS, "list_lengths": [4, 9]}),
}


@pytest.fixture(params=list(DESIGNS))
def trainable(request: pytest.FixtureRequest) -> TrainableMVPLM:
    torch.manual_seed(3)
    config, losses = DESIGNS[request.param]
    return build_trainable("mvp-lm", synthetic_vocabulary(), {**SIZES, **config}, losses)


def captioned(samples: list[Sample]) -> list[Sample]:
    """The same queries, each with two captions of its image."""
    texts = ("a red cup on a table", "two trees left of a house")
    return [
        replace(s, queries=tuple(replace(q, answers=texts) for q in s.queries)) for s in samples
    ]


def with_task(samples: list[Sample], task: Task) -> list[Sample]:
    """Only the category queries, with another task."""
    return [
        replace(
            s,
            queries=tuple(
                replace(q, task=task) for q in s.queries if isinstance(q.prompt, Categories)
            ),
        )
        for s in samples
    ]


def backward(trainable: TrainableMVPLM, samples: list[Sample]) -> dict[str, float]:
    """Losses of the samples as one batch, gradients taken."""
    losses = trainable(trainable.collator()(samples))
    trainable.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    return {name: loss.item() for name, loss in losses.items()}


def groups_without_gradient(trainable: TrainableMVPLM) -> set[str]:
    """Parameter groups without any gradient."""
    return {
        name
        for name, group in trainable.parameter_groups().items()
        if not any(p.grad is not None and p.grad.any() for p in group)
    }


def test_every_part_gets_a_gradient(trainable: TrainableMVPLM, samples: list[Sample]) -> None:
    losses = backward(trainable, captioned(samples))
    assert all(np.isfinite(value) for value in losses.values())
    kinds = ("everything", "sentences")
    parts = ("box", "giou", "mask", "dice", "language")
    assert {f"{kind}_{part}" for kind in kinds for part in parts} <= losses.keys()
    assert {"everything_category", "sentences_sentence"} <= losses.keys()
    assert groups_without_gradient(trainable) <= (
        {"auxiliary"} if not trainable.weights.dense_names else set()
    )


def test_box_annotations_give_no_mask_losses(
    trainable: TrainableMVPLM, samples: list[Sample]
) -> None:
    losses = backward(trainable, with_task(samples, Task.DETECT))
    assert {"things_category", "things_box", "things_giou"} <= losses.keys()
    assert not {"things_mask", "things_dice"} & losses.keys()
    with_masks = backward(trainable, with_task(samples, Task.INSTANCE))
    assert {"things_mask", "things_dice"} <= with_masks.keys()


def test_panoptic_queries_may_be_trained_as_instances(samples: list[Sample]) -> None:
    trainable = build_trainable(
        "mvp-lm", synthetic_vocabulary(), SIZES, {**CELLS, "instance_fraction": 1.0}
    )
    batch = trainable.collator()(samples)
    assert batch.everything is None and batch.things is not None
    assert all(truth.is_thing.all() and truth.masks is not None for truth in batch.things.targets)


def test_samples_without_targets_or_queries_are_valid(
    trainable: TrainableMVPLM, samples: list[Sample]
) -> None:
    def empty(query: Query) -> Query:
        return replace(query, masks=query.masks[:0], labels=query.labels[:0])

    absent = [replace(s, queries=tuple(map(empty, s.queries))) for s in samples]
    assert all(np.isfinite(value) for value in backward(trainable, absent).values())
    silent = [replace(s, queries=()) for s in samples]
    if trainable.weights.dense_names:
        assert backward(trainable, silent).keys() == {"dense_names"}


def test_a_few_steps_reduce_the_loss(samples: list[Sample]) -> None:
    torch.manual_seed(0)
    losses = {**CELLS, **AUXILIARY, "language": 0.0}
    trainable = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**SIZES, "coordinates": True}, losses
    ).train()
    batch = trainable.collator()(samples[:1])
    optimizer = torch.optim.AdamW(trainable.parameters(), 3e-3)
    sums = []
    for _ in range(20):
        found = trainable(batch)
        total = torch.stack(list(found.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        sums.append(total.item())
    assert np.mean(sums[-3:]) < 0.65 * sums[0]


def test_text_pretraining_needs_no_images() -> None:
    trainable = build_trainable("mvp-lm", synthetic_vocabulary(), SIZES, CELLS)
    text_samples = [text_sample(np.random.default_rng(seed)) for seed in range(6)]
    losses = trainable(trainable.text_collator()(text_samples))
    assert {"text_category", "text_next_token"} <= losses.keys()
    torch.stack(list(losses.values())).sum().backward()
    assert {
        "language",
        "auxiliary",
    } <= trainable.parameter_groups().keys() - groups_without_gradient(trainable)


def test_a_saved_model_is_loaded_and_predicts(samples: list[Sample], tmp_path: Path) -> None:
    trainable = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**SIZES, "summary": True, "caption_tokens": 3}, CELLS
    )
    trainable.save(tmp_path, "# A card\n")
    model = load_model(str(tmp_path), "cpu")
    assert model.categories == trainable.names
    requests = [
        PromptRequest(0, Task.GROUND, Expression("the cup")),
        PromptRequest(0, Task.DETECT, Categories(("cup",))),
    ]
    found = model.predict(model.encode([samples[0].frame]), requests)
    assert len(found[0].segments) == 1 and found[0].text
    again = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**SIZES, "summary": True, "caption_tokens": 3}, CELLS
    )
    again.init_from(tmp_path)
    stored = load_tensors(tmp_path)
    assert all(torch.equal(tensor, stored[n]) for n, tensor in again.model.state_dict().items())


def test_saving_merges_adapters_and_changes_nothing_else(tmp_path: Path) -> None:
    trainable = build_trainable("mvp-lm", synthetic_vocabulary(), SIZES, CELLS)
    plain = {name: tensor.half().float() for name, tensor in trainable.model.state_dict().items()}
    trainable.add_lora(2, 4.0, 0.0, ["q_proj"])
    groups, layers = trainable.parameter_groups(), trainable.model.config.language_layers
    assert len(groups["lora"]) == 2 * layers
    grouped = [id(p) for group in groups.values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in trainable.parameters())
    with torch.no_grad():
        for parameter in groups["lora"]:
            parameter.fill_(0.1)
    trainable.save(tmp_path, "# A card\n")
    saved = load_tensors(tmp_path)
    assert saved.keys() == plain.keys()
    changed = {name for name, tensor in saved.items() if not tensor.float().equal(plain[name])}
    assert changed == {f"language.layers.{i}.self_attn.q_proj.weight" for i in range(layers)}


@pytest.mark.parametrize("seed", range(5))
def test_lists_hold_present_names_and_some_absent_ones(samples: list[Sample], seed: int) -> None:
    query = next(q for q in samples[0].queries if isinstance(q.prompt, Categories))
    present = {query.prompt.names[label] for label in query.labels}
    least, most = len(present), len(present) + 2
    listed = list_names(query, (least, most), np.random.default_rng(seed))
    names = listed.prompt.names
    assert present <= set(names) <= set(query.prompt.names) and least <= len(names) <= most
    assert [names[i] for i in listed.labels] == [query.prompt.names[i] for i in query.labels]
    flags = dict(zip(query.prompt.names, query.prompt.stuff, strict=True))
    assert listed.prompt.stuff == tuple(flags[name] for name in names)
    assert list_names(query, (), np.random.default_rng(seed)) is query
    assert set(list_names(query, (1, 1), np.random.default_rng(seed)).prompt.names) == present


@pytest.mark.parametrize("losses", [{"sure": 1}, {"list_lengths": [3]}, {"list_lengths": [9, 3]}])
def test_invalid_loss_settings_are_rejected(losses: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"\[losses\]"):
        read_losses(MVPLMLosses, losses)
