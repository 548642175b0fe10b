"""A batch goes in, finite losses come out that teach every part, whatever the batch lacks."""

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
def learner(request: pytest.FixtureRequest) -> TrainableMVPLM:
    torch.manual_seed(3)
    config, losses = DESIGNS[request.param]
    return build_trainable("mvp-lm", synthetic_vocabulary(), {**SIZES, **config}, losses)


def captioned(samples: list[Sample]) -> list[Sample]:
    """The same questions, each with two captions of its picture."""
    texts = ("a red cup on a table", "two trees left of a house")
    return [
        replace(s, queries=tuple(replace(q, answers=texts) for q in s.queries)) for s in samples
    ]


def with_task(samples: list[Sample], task: Task) -> list[Sample]:
    """The same names asked as another task, and nothing else."""
    return [
        replace(
            s,
            queries=tuple(
                replace(q, task=task) for q in s.queries if isinstance(q.prompt, Categories)
            ),
        )
        for s in samples
    ]


def learned(learner: TrainableMVPLM, samples: list[Sample]) -> dict[str, float]:
    """Losses of the samples as one batch, gradients taken."""
    losses = learner(learner.collator()(samples))
    learner.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    return {name: loss.item() for name, loss in losses.items()}


def idle(learner: TrainableMVPLM) -> set[str]:
    """Parts without any gradient."""
    return {
        name
        for name, group in learner.parameter_groups().items()
        if not any(p.grad is not None and p.grad.any() for p in group)
    }


def test_every_part_learns(learner: TrainableMVPLM, samples: list[Sample]) -> None:
    losses = learned(learner, captioned(samples))
    assert all(np.isfinite(value) for value in losses.values())
    kinds = ("everything", "sentences")
    parts = ("box", "giou", "mask", "dice", "language")
    assert {f"{kind}_{part}" for kind in kinds for part in parts} <= losses.keys()
    assert {"everything_category", "sentences_sentence"} <= losses.keys()
    assert idle(learner) <= ({"auxiliary"} if not learner.weights.dense_names else set())


def test_boxes_alone_teach_no_masks(learner: TrainableMVPLM, samples: list[Sample]) -> None:
    losses = learned(learner, with_task(samples, Task.DETECT))
    assert {"things_category", "things_box", "things_giou"} <= losses.keys()
    assert not {"things_mask", "things_dice"} & losses.keys()
    with_masks = learned(learner, with_task(samples, Task.INSTANCE))
    assert {"things_mask", "things_dice"} <= with_masks.keys()


def test_panoptic_prompts_may_be_taught_as_instances(samples: list[Sample]) -> None:
    learner = build_trainable(
        "mvp-lm", synthetic_vocabulary(), SIZES, {**CELLS, "instance_fraction": 1.0}
    )
    batch = learner.collator()(samples)
    assert batch.everything is None and batch.things is not None
    assert all(truth.is_thing.all() and truth.masks is not None for truth in batch.things.targets)


def test_nothing_may_be_there(learner: TrainableMVPLM, samples: list[Sample]) -> None:
    def empty(query: Query) -> Query:
        return replace(query, masks=query.masks[:0], labels=query.labels[:0])

    absent = [replace(s, queries=tuple(map(empty, s.queries))) for s in samples]
    assert all(np.isfinite(value) for value in learned(learner, absent).values())
    silent = [replace(s, queries=()) for s in samples]
    if learner.weights.dense_names:
        assert learned(learner, silent).keys() == {"dense_names"}


def test_a_few_steps_teach_it_a_few_scenes(samples: list[Sample]) -> None:
    torch.manual_seed(0)
    losses = {**CELLS, **AUXILIARY, "language": 0.0}
    learner = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**SIZES, "coordinates": True}, losses
    ).train()
    batch = learner.collator()(samples[:1])
    optimizer = torch.optim.AdamW(learner.parameters(), 3e-3)
    sums = []
    for _ in range(20):
        found = learner(batch)
        total = torch.stack(list(found.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        sums.append(total.item())
    assert np.mean(sums[-3:]) < 0.65 * sums[0]


def test_words_are_read_before_anything_is_seen() -> None:
    learner = build_trainable("mvp-lm", synthetic_vocabulary(), SIZES, CELLS)
    exercises = [text_sample(np.random.default_rng(seed)) for seed in range(6)]
    losses = learner(learner.text_collator()(exercises))
    assert {"text_category", "text_next_token"} <= losses.keys()
    torch.stack(list(losses.values())).sum().backward()
    assert {"language", "auxiliary"} <= learner.parameter_groups().keys() - idle(learner)


def test_what_is_saved_is_loaded_and_answers(samples: list[Sample], tmp_path: Path) -> None:
    learner = build_trainable(
        "mvp-lm", synthetic_vocabulary(), {**SIZES, "summary": True, "caption_tokens": 3}, CELLS
    )
    learner.save(tmp_path, "# A card\n")
    model = load_model(str(tmp_path), "cpu")
    assert model.categories == learner.names
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


def test_adapters_alone_change_what_is_saved_and_are_merged_into_it(tmp_path: Path) -> None:
    learner = build_trainable("mvp-lm", synthetic_vocabulary(), SIZES, CELLS)
    plain = {name: tensor.half().float() for name, tensor in learner.model.state_dict().items()}
    learner.add_lora(2, 4.0, 0.0, ["q_proj"])
    groups, layers = learner.parameter_groups(), learner.model.config.language_layers
    assert len(groups["lora"]) == 2 * layers
    grouped = [id(p) for group in groups.values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in learner.parameters())
    with torch.no_grad():
        for parameter in groups["lora"]:
            parameter.fill_(0.1)
    learner.save(tmp_path, "# A card\n")
    saved = load_tensors(tmp_path)
    assert saved.keys() == plain.keys()
    changed = {name for name, tensor in saved.items() if not tensor.float().equal(plain[name])}
    assert changed == {f"language.layers.{i}.self_attn.q_proj.weight" for i in range(layers)}


@pytest.mark.parametrize("seed", range(5))
def test_lists_hold_what_is_there_and_some_that_is_not(samples: list[Sample], seed: int) -> None:
    query = next(q for q in samples[0].queries if isinstance(q.prompt, Categories))
    there = {query.prompt.names[label] for label in query.labels}
    least, most = len(there), len(there) + 2
    listed = list_names(query, (least, most), np.random.default_rng(seed))
    names = listed.prompt.names
    assert there <= set(names) <= set(query.prompt.names) and least <= len(names) <= most
    assert [names[i] for i in listed.labels] == [query.prompt.names[i] for i in query.labels]
    flags = dict(zip(query.prompt.names, query.prompt.stuff, strict=True))
    assert listed.prompt.stuff == tuple(flags[name] for name in names)
    assert list_names(query, (), np.random.default_rng(seed)) is query
    assert set(list_names(query, (1, 1), np.random.default_rng(seed)).prompt.names) == there


@pytest.mark.parametrize("losses", [{"sure": 1}, {"list_lengths": [3]}, {"list_lengths": [9, 3]}])
def test_losses_that_cannot_be_meant(losses: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"\[losses\]"):
        read_losses(MVPLMLosses, losses)
