"""Losses of image, clip and text batches are finite and reach every part."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vlseg_cli.models.hyperseg.training import TrainableHyperSeg
from vlseg_cli.models.registry import build_trainable, load_model
from vlseg_cli.schema import PromptRequest, Question, RecipeError, Sample, Task
from vlseg_cli.schema.sample import ClipFrames, TextSample
from vlseg_cli.synthetic.clip_samples import synthetic_clip_frames
from vlseg_cli.synthetic.samples import SampleMix
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import load_tensors
from vlseg_cli.weights.settings import load_settings

AUXILIARY = {"dense_names": 1.0, "sentence_class": 0.3, "boxes": 1.0, "pointing": 0.2}
LOSSES: dict[str, dict[str, Any]] = {
    "published": {"points": 48},
    "miniature": {"points": 0, "assignment": "first", **AUXILIARY},
}
BEYOND = {"words.color", "words.position", "words.anchor", "model.instance_heads"}


@pytest.fixture(params=list(LOSSES))
def learner(request: Any, hyperseg_designs: dict[str, dict[str, Any]]) -> TrainableHyperSeg:
    torch.manual_seed(3)
    name = request.param
    built = build_trainable(
        "hyperseg", synthetic_vocabulary(), hyperseg_designs[name], LOSSES[name]
    )
    assert isinstance(built, TrainableHyperSeg)
    return built


@pytest.fixture(scope="module")
def clips() -> list[ClipFrames]:
    mix = SampleMix(sentences=2, questions=1, regions=2, negatives=2, no_target=0.0)
    return [synthetic_clip_frames(seed, 64, mix) for seed in (5, 6)]


def backward(learner: TrainableHyperSeg, batch: Any) -> dict[str, Tensor]:
    """Losses of a batch, gradients taken."""
    losses = learner(batch)
    assert all(loss.isfinite() for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    return dict(losses)


def without_gradient(learner: TrainableHyperSeg) -> set[str]:
    """Parts (up to the second dot) of which some weight got no gradient."""
    named = learner.named_parameters()
    return {".".join(name.split(".")[:2]) for name, p in named if p.grad is None}


def test_image_batches_train_what_they_can(
    learner: TrainableHyperSeg, samples: list[Sample]
) -> None:
    losses = backward(learner, learner.collator()(samples[:2]))
    expected = {"categories_category", "sentences_sentence", "regions_region", "text_answers"}
    assert expected <= losses.keys()
    assert ("text_entities" in losses) is learner.model.config.recognize_entities
    unused = without_gradient(learner)
    assert unused <= BEYOND | {"model.perceiver", *_auxiliary(learner)}
    assert learner.model.perceiver.carry.weight.grad is None  # no later frame
    assert learner.model.perceiver.query.grad is not None
    assert learner.model.lm_head.weight.grad is not None


def test_clip_batches_train_carry_and_reidentification(
    learner: TrainableHyperSeg, clips: list[ClipFrames]
) -> None:
    losses = backward(learner, learner.clip_collator()(clips))
    assert {"instance_contrast", "instance_reid_aux", "instance_boxes"} <= losses.keys()
    assert {"regions_region", "sentences_sentence", "categories_mask"} <= losses.keys()
    carry = learner.model.perceiver.carry.weight.grad
    assert carry is not None and carry.any()
    assert all(p.grad is not None for p in learner.model.instance_heads.parameters())


def test_text_batches(learner: TrainableHyperSeg) -> None:
    exercise = TextSample("the red cup", frozenset({"cup"}), color="red")
    losses = backward(learner, learner.text_collator()([exercise] * 3))
    assert {"text_category", "text_color", "text_next_token"} <= losses.keys()


def _auxiliary(learner: TrainableHyperSeg) -> set[str]:
    if learner.weights.boxes:
        return set()
    heads = ("boxes.regress", "pointing.query", "pointing.key", "dense_names.classify")
    return {*heads, "words.category"}


def test_frames_of_a_clip_agree_with_the_first(clips: list[ClipFrames]) -> None:
    for clip in clips:
        assert len(clip.samples) == len(clip.things) == 3
        sentences = [[q.prompt for q in s.queries if q.task is Task.RVOS] for s in clip.samples]
        assert sentences[0] == sentences[1] == sentences[2]
        frames = [sample.frame.index for sample in clip.samples]
        assert frames == sorted(set(frames))
        for sample, things in zip(clip.samples, clip.things, strict=True):
            named = sample.queries[0]
            assert len(named.masks) == len(things)
            known = things[things >= 0].tolist()
            assert len(known) == len(set(known))


def test_lora_trains_alone_and_is_merged_when_saved(
    hyperseg_designs: dict[str, dict[str, Any]], samples: list[Sample], tmp_path: Path
) -> None:
    learner = build_trainable(
        "hyperseg", synthetic_vocabulary(), hyperseg_designs["miniature"], LOSSES["miniature"]
    )
    plain = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    learner.add_lora(2, 4.0, 0.0, ["q_proj", "v_proj"])
    groups = learner.parameter_groups()
    layers = learner.model.config.language_layers
    assert len(groups["lora"]) == 2 * 2 * layers
    grouped = [id(p) for group in groups.values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in learner.parameters())
    with torch.no_grad():
        for parameter in groups["lora"]:
            parameter.fill_(0.1)
    learner.save(tmp_path, "card")
    saved = load_tensors(tmp_path)
    assert saved.keys() == plain.keys()
    before = {name: tensor.half().float() for name, tensor in plain.items()}
    changed = {name for name, tensor in saved.items() if not tensor.equal(before[name])}
    assert changed == {
        f"language.layers.{layer}.self_attn.{part}_proj.weight"
        for layer in range(layers)
        for part in "qv"
    }
    assert load_settings(tmp_path)["architecture"] == "hyperseg"
    model = load_model(str(tmp_path), "cpu")
    ask = PromptRequest(0, Task.REASON, Question("what keeps food cold?"))
    assert model.predict(model.encode([samples[0].frame]), [ask])[0].task is Task.REASON
    with pytest.raises(RecipeError, match="targets"):
        learner.add_lora(2, 4.0, 0.0, ["no_such_layer"])
