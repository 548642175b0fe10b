"""Losses of batches are finite and reach every part, whatever the batch lacks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.psalm.training import TrainablePSALM
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import Categories, Expression, Query, Question, RecipeError, Regions, Sample
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import load_tensors
from vlseg_cli.weights.settings import load_settings

AUXILIARY = {"dense_names": 1.0, "sentence_class": 0.3, "boxes": 1.0, "pointing": 0.2}
LOSSES: dict[str, dict[str, Any]] = {
    "hungarian, points": {"points": 48},
    "hungarian, cells": {"points": 0, **AUXILIARY},
    "first, points": {"points": 48, "assignment": "first"},
    "first, cells": {"points": 0, "assignment": "first", **AUXILIARY},
}
SENTENCES = (Expression, Question)


@pytest.fixture(params=list(LOSSES))
def losses(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The [losses] of a recipe."""
    return LOSSES[request.param]


@pytest.fixture
def learner(design: dict[str, Any], losses: dict[str, Any]) -> TrainablePSALM:
    """A new model, regions in one prompt only where that can be trained."""
    torch.manual_seed(3)
    together = design.get("regions_together", True) and losses.get("assignment") != "first"
    return build_trainable(
        "psalm", synthetic_vocabulary(), {**design, "regions_together": together}, losses
    )


def without(samples: list[Sample], *kinds: type) -> list[Sample]:
    """The same scenes without prompts of some kinds."""
    return [
        replace(s, queries=tuple(q for q in s.queries if not isinstance(q.prompt, kinds)))
        for s in samples
    ]


def without_masks(samples: list[Sample]) -> list[Sample]:
    """The same prompts without true masks."""

    def empty(query: Query) -> Query:
        return replace(query, masks=query.masks[:0], labels=query.labels[:0])

    return [replace(s, queries=tuple(map(empty, s.queries))) for s in samples]


def backward(learner: TrainablePSALM, samples: list[Sample]) -> tuple[dict[str, Tensor], Tensor]:
    """Losses of the samples as one batch, gradients taken; their sum."""
    losses = learner(learner.collator()(samples))
    total = torch.stack(list(losses.values())).sum()
    learner.zero_grad()
    total.backward()
    return losses, total


def without_gradient(learner: TrainablePSALM) -> set[str]:
    """Parts (up to the second dot) of which some weight got no gradient."""
    named = learner.named_parameters()
    return {".".join(name.split(".")[:2]) for name, p in named if p.grad is None}


def test_every_part_gets_a_gradient(learner: TrainablePSALM, samples: list[Sample]) -> None:
    losses, _ = backward(learner, samples)
    expected = {"categories_category", "categories_mask", "categories_dice"}
    for kind in ("sentence", "region"):
        expected |= {f"{kind}s_{name}" for name in (kind, "mask", "dice")}
    unused = {"model.lm_head", *(f"words.{n}" for n in ("color", "position", "anchor"))}
    if learner.weights.boxes:
        expected |= {"dense_names", "sentence_class"}
        expected |= {
            f"{kind}s_{n}" for kind in ("sentence", "region") for n in ("boxes", "pointing")
        }
    else:
        heads = ("boxes.regress", "pointing.query", "pointing.key", "dense_names.classify")
        unused |= {*heads, "words.category"}
    assert losses.keys() == expected
    assert all(loss.isfinite() and loss.item() > 0 for loss in losses.values())
    assert without_gradient(learner) == unused
    grads = [p.grad for p in learner.parameters() if p.grad is not None]
    assert all(grad.isfinite().all() for grad in grads)
    for name, group in learner.parameter_groups().items():
        assert any(p.grad is not None and p.grad.any() for p in group) or name == "auxiliary"


@pytest.mark.parametrize(
    "missing",
    [(Categories,), SENTENCES, (Regions,), (*SENTENCES, Regions), (Categories, *SENTENCES)],
    ids=lambda kinds: " ".join(kind.__name__ for kind in kinds),
)
def test_a_batch_without_some_kind(
    learner: TrainablePSALM, samples: list[Sample], missing: tuple[type, ...]
) -> None:
    losses, total = backward(learner, without(samples[:2], *missing))
    assert total.isfinite()
    names = {Categories: "categories_", Expression: "sentences_", Regions: "regions_"}
    for kind, prefix in names.items():
        assert any(name.startswith(prefix) for name in losses) is (kind not in missing)


def test_a_batch_without_true_masks(learner: TrainablePSALM, samples: list[Sample]) -> None:
    losses, total = backward(learner, without_masks(samples[:2]))
    assert total.isfinite()
    assert {"categories_category", "sentences_sentence", "regions_region"} <= losses.keys()
    assert all(
        loss.item() == 0 for name, loss in losses.items() if name.endswith(("_mask", "_dice"))
    )
    assert all(p.grad is None or p.grad.isfinite().all() for p in learner.parameters())


def test_scenes_with_and_without_masks_in_a_batch(
    learner: TrainablePSALM, samples: list[Sample]
) -> None:
    mixed = [samples[0], *without_masks(samples[1:2]), *without(samples[2:], Regions)]
    losses, total = backward(learner, mixed)
    assert total.isfinite()
    assert losses["sentences_mask"].item() > 0


@pytest.mark.parametrize("name", ["hungarian, points", "first, cells"])
def test_losses_of_one_batch_decrease(
    miniature: dict[str, Any], samples: list[Sample], name: str
) -> None:
    torch.manual_seed(0)
    learner = build_trainable("psalm", synthetic_vocabulary(), miniature, LOSSES[name])
    batch = learner.collator()(samples[:2])
    optimizer = torch.optim.Adam(learner.parameters(), 2e-3)
    totals = []
    for _ in range(15):
        total = torch.stack(list(learner(batch).values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert np.mean(totals[-3:]) < 0.85 * np.mean(totals[:3])


def test_mask_token_0_learns_the_highest_score(
    miniature: dict[str, Any], samples: list[Sample]
) -> None:
    torch.manual_seed(0)
    learner = build_trainable("psalm", synthetic_vocabulary(), miniature, LOSSES["first, points"])
    batch = learner.collator()(without(samples[:2], Categories, Regions))
    optimizer = torch.optim.Adam(learner.parameters(), 5e-3)
    for _ in range(12):
        total = torch.stack(list(learner(batch).values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert batch.sentences is not None
    with torch.no_grad():
        seen = learner.model.encode_image(batch.pixel_values)
        asked = (batch.sentences.sequences, batch.sentences.image_index, ConditionKind.SENTENCE)
        scores = learner.model(seen, *asked).scores[-1][..., 0]
    assert (scores[:, 0] > scores[:, 1]).all()


def test_dense_batches_have_the_semantic_loss_alone(
    miniature: dict[str, Any], samples: list[Sample]
) -> None:
    learner = build_trainable("psalm", synthetic_vocabulary(), miniature, LOSSES["first, cells"])
    batch = learner.dense_collator(96)(samples)
    assert batch.categories is batch.sentences is batch.regions is None
    assert batch.semantic.equal(learner.collator(96)(samples).semantic)
    losses = learner(batch)
    assert losses.keys() == {"dense_names"} and losses["dense_names"].item() > 0
    with pytest.raises(RecipeError, match="dense_names = 0"):
        build_trainable(
            "psalm", synthetic_vocabulary(), miniature, LOSSES["first, points"]
        ).dense_collator()


def test_parameter_groups_partition_all_weights(learner: TrainablePSALM) -> None:
    groups = learner.parameter_groups()
    assert list(groups) == [
        "vision",
        "connector",
        "language",
        "pixel_decoder",
        "mask_decoder",
        "auxiliary",
        "heads",
    ]
    grouped = [id(p) for group in groups.values() for p in group]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in learner.parameters()}
    assert all(groups.values())


def test_weights_multiply_their_losses(design: dict[str, Any], samples: list[Sample]) -> None:
    def losses_of(**weights: float) -> dict[str, Tensor]:
        torch.manual_seed(3)
        learner = build_trainable(
            "psalm", synthetic_vocabulary(), design, {"points": 0, **weights}
        ).eval()
        with torch.no_grad():
            losses: dict[str, Tensor] = learner(learner.collator()(samples[:2]))
        return losses

    paper = losses_of()
    other = losses_of(mask=10.0, dice=2.5, category=4.0, sentence=1.0, region=0.0)
    factors = {"mask": 2.0, "dice": 0.5, "category": 2.0, "sentence": 0.5, "region": 0.0}
    for name, loss in paper.items():
        factor = factors[name.split("_")[1]]
        assert other[name].item() == pytest.approx(factor * loss.item(), rel=1e-5)


def test_images_of_another_size_are_batched(
    miniature: dict[str, Any], samples: list[Sample]
) -> None:
    learner = build_trainable("psalm", synthetic_vocabulary(), miniature, LOSSES["first, cells"])
    batch = learner.collator(96)(samples[:2])
    assert batch.pixel_values.shape[-1] == 96
    assert all(loss.isfinite() for loss in learner(batch).values())


def test_saved_folders_have_no_auxiliary_heads(miniature: dict[str, Any], tmp_path: Path) -> None:
    learner = build_trainable("psalm", synthetic_vocabulary(), miniature, LOSSES["first, cells"])
    learner.save(tmp_path, "card")
    assert load_tensors(tmp_path).keys() == learner.model.state_dict().keys()
    settings = load_settings(tmp_path)
    assert settings["architecture"] == "psalm"
    assert tuple(settings["categories"]["names"]) == learner.names
