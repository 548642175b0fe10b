"""A PSALM whose proposals come first: what it learns from, and what it answers."""

from typing import Any

import pytest
import torch

from vlseg_cli.models.psalm.proposal_training import (
    TrainableProposalPSALM,
    categories_within,
    share_within,
)
from vlseg_cli.models.psalm.video import PSALMVideoSegmenter
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import Categories, Expression, Prediction, PromptRequest, Regions, Task
from vlseg_cli.schema.sample import Sample
from vlseg_cli.synthetic.fact_samples import synthetic_fact_sample
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.training.vocabulary import synthetic_vocabulary

CONFIG: dict[str, Any] = {
    "image_size": 64,
    "swin_embed": 8,
    "swin_depths": [1, 1, 1, 1],
    "swin_heads": [1, 1, 2, 2],
    "swin_window": 2,
    "swin_drop_path": 0.0,
    "connector_width": 16,
    "connector_stride": 1,
    "pixel_channels": 32,
    "mask_channels": 32,
    "pixel_layers": 1,
    "pixel_heads": 2,
    "pixel_feedforward": 32,
    "language_channels": 32,
    "language_layers": 1,
    "language_heads": 2,
    "language_feedforward": 64,
    "positions": 512,
    "queries": 12,
    "decoder_layers": 2,
    "decoder_heads": 2,
    "decoder_feedforward": 32,
    "prompt_style": "plain",
    "coordinates": True,
    "region_source": "pixels",
    "regions_together": False,
    "generates_text": False,
    "proposals_first": True,
    "selection_layers": 2,
    "selection_channels": 32,
    "selection_score": 0.5,
    "duplicate_overlap": 0.7,
    "semantic_score": 0.3,
    "mask_stride": 2,
}
LOSSES = {"points": 0, "dense_names": 1.0, "appearance": 0.5, "sentence_class": 0.1}
MIX = SampleMix(sentences=3, questions=2, regions=2, negatives=5, no_target=0.3)


@pytest.fixture(scope="module")
def trainable() -> TrainableProposalPSALM:
    torch.manual_seed(0)
    built = build_trainable("psalm", synthetic_vocabulary(), CONFIG, LOSSES)
    assert isinstance(built, TrainableProposalPSALM)
    return built


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [synthetic_sample(seed, 64, MIX) for seed in (3, 4)]


def test_losses_of_images_and_facts_together_reach_every_part(
    trainable: TrainableProposalPSALM, samples: list[Sample]
) -> None:
    facts = trainable.fact_collator()([synthetic_fact_sample(seed, MIX) for seed in (5, 6, 7)])
    losses = [*trainable(trainable.collator()(samples)).values(), *trainable(facts).values()]
    assert all(bool(loss.isfinite()) for loss in losses)
    torch.stack(losses).sum().backward()
    for part in ("vision", "connector", "language", "pixel_decoder", "mask_decoder", "selector"):
        gradients = [p.grad for p in trainable.parameter_groups()[part]]
        assert any(g is not None and bool(g.abs().sum() > 0) for g in gradients), part
    assert trainable.table.names.weight.grad is not None


def test_facts_are_learned_within_a_hundred_steps() -> None:
    torch.manual_seed(0)
    trainable = build_trainable("psalm", synthetic_vocabulary(), CONFIG, LOSSES)
    mix = SampleMix(sentences=2, questions=0, kinds={"category": 1.0}, no_target=0.0)
    batch = trainable.fact_collator()([synthetic_fact_sample(seed, mix) for seed in range(4)])
    optimizer = torch.optim.AdamW(trainable.parameters(), 3e-3)
    values = []
    for _ in range(100):
        loss = trainable(batch)["facts"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.3 * values[0]


def test_what_a_proposal_is_made_of_is_measured_on_the_truth(
    trainable: TrainableProposalPSALM, samples: list[Sample]
) -> None:
    batch = trainable.collator()(samples)
    assert batch.categories is not None
    features = trainable.encode_batch(batch)
    proposals = trainable.model.propose(features, batch.categories.sequences[0])
    perfect = torch.full_like(proposals.coarse_masks, -1.0)
    truth = torch.nn.functional.avg_pool2d(batch.categories.truth[0], 2)
    perfect[0, : len(truth)] = (truth > 0.5) * 2.0 - 1
    proposals = proposals._replace(coarse_masks=perfect)
    shares, real = share_within(proposals, batch.categories)
    assert shares[0, : len(truth)][real[0, : len(truth)]].min() > 0.7
    assert not real[1].any()
    _, known = categories_within(proposals, batch.semantic, len(trainable.names))
    assert known[0, : len(truth)].any() and not known[1].any()


def segmenter(trainable: TrainableProposalPSALM) -> PSALMVideoSegmenter:
    return PSALMVideoSegmenter(
        "tiny", trainable.model, trainable.tokenizer, trainable.names, trainable.stuff
    )


def predict(
    trainable: TrainableProposalPSALM, samples: list[Sample], *requests: PromptRequest
) -> list[Prediction]:
    model = segmenter(trainable)
    return model.predict(model.encode([sample.frame for sample in samples]), requests)


def test_every_task_is_answered_on_the_images_own_grid(
    trainable: TrainableProposalPSALM, samples: list[Sample]
) -> None:
    names = Categories(("cup", "wall"), (False, True))
    regions = next(q.prompt for q in samples[0].queries if isinstance(q.prompt, Regions))
    found = predict(
        trainable,
        samples,
        PromptRequest(0, Task.PANOPTIC, names),
        PromptRequest(1, Task.SEMANTIC, names),
        PromptRequest(0, Task.INSTANCE, names, threshold=0.0),
        PromptRequest(1, Task.REFER, Expression("the cup"), threshold=0.0),
        PromptRequest(0, Task.INTERACTIVE, regions),
    )
    for prediction, index in zip(found, (0, 1, 0, 1, 0), strict=True):
        frame = samples[index].frame
        assert (prediction.height, prediction.width) == (frame.height, frame.width)
    assert len(found[-1].segments) == len(regions.regions)


def test_a_sentence_that_no_proposal_fits_has_no_segment(
    trainable: TrainableProposalPSALM, samples: list[Sample]
) -> None:
    request = PromptRequest(0, Task.REFER, Expression("the cup"), threshold=1.0)
    assert predict(trainable, samples, request)[0].segments == ()


def test_prompts_together_and_one_by_one_are_answered_alike(
    trainable: TrainableProposalPSALM, samples: list[Sample]
) -> None:
    requests = [
        PromptRequest(i, Task.REFER, Expression(text), threshold=0.0)
        for i in (0, 1)
        for text in ("the cup", "the second book from the left")
    ]
    together = predict(trainable, samples, *requests)
    for request, prediction in zip(requests, together, strict=True):
        (alone,) = predict(trainable, samples, request)
        for one, other in zip(alone.segments, prediction.segments, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            assert one.bbox == pytest.approx(other.bbox, abs=2)
