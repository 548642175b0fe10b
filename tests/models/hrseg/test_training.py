"""Losses are finite and reach every part; saved models predict the same."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.tiny_hrseg import SIZES, Quarters

from vlseg_cli.models.hrseg.config import LLM_SEG
from vlseg_cli.models.hrseg.training import TrainableHRSeg
from vlseg_cli.models.proposals.base import ProposalOptions
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import Frame, RecipeError, Sample, WeightsError
from vlseg_cli.synthetic.text_samples import text_sample
from vlseg_cli.training.recipe import load_recipe
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import load_tensors

AUXILIARY = {"dense_names": 1.0, "sentence_class": 0.3}
RECIPES = Path(__file__).parents[3] / "recipes"


def open_quarters(_source: str, _device: str, _engine: str) -> Quarters:
    return Quarters()


def trainable(losses: dict[str, Any] | None = None, **others: Any) -> TrainableHRSeg:
    torch.manual_seed(3)
    built = build_trainable(
        "hrseg",
        synthetic_vocabulary(),
        {**SIZES, **others},
        AUXILIARY if losses is None else losses,
    )
    assert isinstance(built, TrainableHRSeg)
    built.choose_proposals(ProposalOptions(), open_quarters)
    return built


def total(losses: Any) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


def test_every_part_gets_a_gradient(samples: list[Sample]) -> None:
    model = trainable()
    losses = model(model.collator()(samples))
    assert losses.keys() == {"align", "iop", "language", "dense_names", "sentence_class"}
    assert all(loss.isfinite() and loss.item() > 0 for loss in losses.values())
    total(losses).backward()
    for name, group in model.parameter_groups().items():
        assert name == "lora" or any(p.grad is not None and p.grad.any() for p in group), name
    grouped = [id(p) for group in model.parameter_groups().values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


@pytest.mark.parametrize("design", [{}, LLM_SEG | {"view": 28}, {"llava": "v1.6"}])
def test_a_few_steps_reduce_the_loss(samples: list[Sample], design: dict[str, Any]) -> None:
    model = trainable({"weighting": "plain"}, **design)
    batch = model.collator()(samples[:2])
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    totals = []
    for _ in range(8):
        loss = total(model(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append(loss.item())
    assert np.mean(totals[-2:]) < 0.8 * np.mean(totals[:2])


def test_supervision_holds_the_overlap_with_proposals(samples: list[Sample]) -> None:
    model = trainable()
    batch = model.collator()(samples)
    supervision = batch.supervision
    assert supervision is not None
    assert supervision.iou.shape == supervision.iop.shape == (len(supervision.sequences), 5)
    assert len(supervision.image_index) == len(supervision.sequences) == len(supervision.labels)
    # The upper half holds the upper quarters: what lies in both halves of it, lies in it all.
    upper = supervision.iop[:, :2].mean(1)
    order = Quarters().propose(samples[0].frame).largest(5)
    assert order[0].sum() > order[1].sum() and upper.isfinite().all()
    assert torch.allclose(
        supervision.category_shares.sum(1), torch.ones(len(supervision.category_shares))
    )


def test_the_chosen_source_engine_and_cache_of_proposals_are_used(
    samples: list[Sample], tmp_path: Path
) -> None:
    opened: list[tuple[str, str, str]] = []

    def open_recorded(source: str, device: str, engine: str) -> Quarters:
        opened.append((source, device, engine))
        return Quarters()

    model = trainable({})
    model.choose_proposals(ProposalOptions("some-sam", tmp_path, "onnx"), open_recorded)
    model.collator()(samples[:2])
    assert opened == [("some-sam", "cpu", "onnx")]
    assert len(list(tmp_path.rglob("*.json"))) == 2
    model.choose_proposals(ProposalOptions(), open_recorded)
    model.collator()(samples[:1])
    assert opened[1:] == [(SIZES["proposals"], "cpu", "torch")]


def test_a_dense_batch_needs_no_proposals(samples: list[Sample]) -> None:
    def no_proposer(*_: object) -> Quarters:
        raise AssertionError("proposals were requested")

    model = trainable()
    model.choose_proposals(ProposalOptions(), no_proposer)
    batch = model.dense_collator()(samples)
    assert batch.supervision is None and model(batch).keys() == {"dense_names"}
    assert (batch.window_names >= 0).any() and batch.window_names.shape[
        1
    ] == 2 * batch.overview_names.shape[1]
    with pytest.raises(RecipeError, match="dense_names = 0"):
        trainable({}).dense_collator()


def test_the_number_of_windows_is_sampled_per_batch(samples: list[Sample]) -> None:
    model = trainable({**AUXILIARY, "windows": [1, 3]})
    collate = model.collator()
    counts = set()
    for sample in samples:
        batch = collate([sample])
        assert batch.views.shape[1] == collate([sample]).views.shape[1]  # the same when it resumes
        counts.add(batch.views.shape[1])
        assert all(loss.isfinite() for loss in model(batch).values())
    assert counts == {1 + 1, 1 + 9}
    with pytest.raises(RecipeError, match="windows another number than 0"):
        trainable({"windows": [2]}, windows=0)


def test_text_pretraining_needs_no_images() -> None:
    model = trainable()
    text_samples = [text_sample(np.random.default_rng(seed)) for seed in range(6)]
    losses = model(model.text_collator()(text_samples))
    assert {"text_category", "text_next_token"} <= losses.keys()
    assert all(loss.isfinite() for loss in losses.values())


def test_saving_merges_adapters(samples: list[Sample], tmp_path: Path) -> None:
    model = trainable({})
    model.add_lora(2, 4.0, 0.0, ("q_proj", "v_proj"))
    adapters = model.parameter_groups()["lora"]
    assert len(adapters) == 2 * 2 * SIZES["language_layers"]
    with torch.no_grad():
        for adapter in adapters:
            adapter.normal_()
    batch = model.collator()(samples[:1])
    model.eval()
    with torch.no_grad():
        before = model(batch)
    model.save(tmp_path, "# A card\n")
    assert not any("lora" in name for name in load_tensors(tmp_path))
    plain = trainable({})
    plain.init_from(tmp_path)
    plain.eval()
    with torch.no_grad():
        after = plain(batch)
    assert total(after).item() == pytest.approx(total(before).item(), rel=0.02)  # saved as fp16


def test_hrseg_is_initialized_from_llm_seg(tmp_path: Path) -> None:
    """Sizes, tokenizer and weights of the folder; only the additions are new."""
    trainable({}, **LLM_SEG | {"view": 42}).save(tmp_path, "# A card\n")
    settings = json.loads((tmp_path / "config.json").read_text())
    assert settings["config"]["windows"] == 0
    model = trainable({}, channels=8, fusion_layers=1)
    assert model.init_from(tmp_path) == ("region_attention", "enhancement")
    config = model.model.config
    assert (config.channels, config.windows, config.view) == (16, 2, 28)
    saved = load_tensors(tmp_path)
    fresh = {n for n in model.model.state_dict() if n not in saved}
    assert {name.split(".")[0] for name in fresh} == {"region_attention", "enhancement"}


def test_invalid_training_settings_are_rejected() -> None:
    with pytest.raises(RecipeError, match='"sam" is for models that carry a SAM'):
        trainable({}, proposals="sam")
    with pytest.raises(RecipeError, match="unknown key 'dice'"):
        trainable({"dice": 1.0})
    with pytest.raises(RecipeError, match="weighting = 'other'"):
        trainable({"weighting": "other"})
    with pytest.raises(WeightsError, match="the HRSeg configuration: unknown key 'views'"):
        trainable({}, views=3)
    with pytest.raises(WeightsError, match="selection = 'best'"):
        trainable({}, selection="best")
    with pytest.raises(WeightsError, match="view = 30 is no multiple of dino_patch = 14"):
        trainable({}, view=30)


@pytest.mark.parametrize("name", ["hrseg", "hrseg-mini"])
def test_recipes_name_existing_parameter_groups(name: str) -> None:
    recipe = load_recipe(RECIPES / f"{name}.toml")
    groups = trainable(dict(recipe.losses)).parameter_groups()
    assert all(group in groups for stage in recipe.stage for group in stage.train)


def test_the_small_recipe_can_leave_out_the_additions() -> None:
    path = RECIPES / "hrseg-mini.toml"
    overrides = re.findall(r"--set (\S+)", path.read_text())
    recipe = load_recipe(path, overrides)
    model = build_trainable("hrseg", synthetic_vocabulary(), recipe.model.config, recipe.losses)
    assert isinstance(model, TrainableHRSeg) and len(overrides) == 3
    assert not any(n.startswith(("region_", "enhance")) for n in model.model.state_dict())


def test_an_image_without_proposals_has_only_the_language_loss(samples: list[Sample]) -> None:
    class EmptyProposer(Quarters):
        def propose(self, frame: Frame) -> Any:
            full = super().propose(frame)
            return type(full)(full.height, full.width, (), ())

    model = trainable({})
    model.choose_proposals(ProposalOptions(), lambda *_: EmptyProposer())
    losses = model(model.collator()(samples[:1]))
    assert losses["align"].item() == losses["iop"].item() == 0 and losses["language"].item() > 0
    total(losses).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
