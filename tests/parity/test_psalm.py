"""Every stage of PSALM against the authors' own code, at whatever sizes the golden file has."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.models.psalm_losses import category_losses
from vlseg_cli.models.steps import Answered, Asked, Read
from vlseg_cli.nn.mask_sampling import PointSampling
from vlseg_cli.nn.segments import (
    Canvas,
    instances,
    panoptic_segments,
    referred_scores,
    semantic_scores,
    to_original,
)
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.sequence import TokenSequence, assemble
from vlseg_cli.weights.convert.psalm import psalm_rules
from vlseg_cli.weights.convert.rules import convert, find_rule

SCORES = {"category": "class_logits", "sentence": "seg_logits", "region": "region_logits"}


def config_of(sizes: dict[str, Any]) -> PSALMConfig:
    swin, llm = sizes["swin"], sizes["llm"]
    pixel, mask = sizes["pixel_decoder"], sizes["mask_decoder"]
    assert pixel["conv_dim"] == mask["hidden_dim"]
    return PSALMConfig(
        image_size=sizes["image_size"],
        swin_embed=swin["embed_dim"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["num_heads"]),
        swin_window=swin["window_size"],
        connector_width=sizes["projector"]["planes"],
        connector_stride=sizes["projector"]["stride"],
        pixel_channels=pixel["conv_dim"],
        mask_channels=pixel["mask_dim"],
        pixel_layers=pixel["encoder_layers"],
        pixel_heads=pixel["heads"],
        pixel_feedforward=pixel["encoder_ffn"],
        language_channels=llm["hidden_size"],
        language_layers=llm["num_hidden_layers"],
        language_heads=llm["num_attention_heads"],
        language_feedforward=llm["intermediate_size"],
        vocabulary=llm["vocab_size"],
        positions=llm["max_position_embeddings"],
        rotary_factor=llm["partial_rotary_factor"],
        queries=mask["queries"],
        decoder_layers=mask["layers"],
        decoder_heads=mask["heads"],
        decoder_feedforward=mask["ffn"],
    )


@pytest.fixture(scope="module")
def model(golden: Any) -> PSALM:
    config = config_of(golden.config)
    rules = psalm_rules(config.language_heads, config.vocabulary)
    official = golden.weights()
    assert all(find_rule(rules, name) for name in official)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    model = PSALM(config).eval()
    model.load_state_dict(ours, strict=True)
    return model


@pytest.fixture(scope="module")
def seen(golden: Any, model: PSALM) -> Seen:
    with torch.no_grad():
        return model.see(golden["in/pixel_values"])


def sequence_of(golden: Any, kind: ConditionKind) -> TokenSequence:
    ids = golden[f"in/{kind}/input_ids"][0].tolist()
    queries = golden.config["mask_decoder"]["queries"]
    if kind is ConditionKind.CATEGORY:
        tokens, owner = (
            golden["in/category/class_name_ids"][0],
            golden["in/category/cls_indices"][0],
        )
        names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
        return assemble(ids, queries, names=names, keep_tail=True)
    if kind is ConditionKind.SENTENCE:
        refer = golden["in/sentence/token_refer_id"].tolist()
        return assemble(ids, queries, expression=refer, keep_tail=True)
    return assemble(ids, queries, keep_tail=True)


@pytest.fixture(scope="module", params=list(ConditionKind))
def run(request: Any, golden: Any, model: PSALM, seen: Seen) -> SimpleNamespace:
    kind: ConditionKind = request.param
    sequence, picture = sequence_of(golden, kind), torch.zeros(1, dtype=torch.long)
    regions = golden["in/region/region_masks"].bool() if kind is ConditionKind.REGION else None
    with torch.no_grad():
        read: Read = model.read(seen, [sequence], picture, regions)
        asked: Asked = model.ask(read, kind)
        answered: Answered = model.answer(seen, picture, asked, kind)
    return SimpleNamespace(
        kind=kind, sequence=sequence, regions=regions, read=read, asked=asked, answered=answered
    )


def _official(kind: ConditionKind, scores: Tensor) -> Tensor:
    """Ours are (1, N, K); regions are recorded as (R, N)."""
    return scores[0].T if kind is ConditionKind.REGION else scores


def test_see(golden: Any, model: PSALM, seen: Seen) -> None:
    for name, features in zip(("res2", "res3", "res4", "res5"), seen.pyramid, strict=True):
        golden.agrees(f"swin/{name}", features)
    golden.agrees("projector", seen.tokens.flatten(2).transpose(1, 2))
    golden.agrees("pixel_decoder/mask_features", seen.pixels.mask_features)
    for level, memory in enumerate(seen.pixels.memory):
        golden.agrees(f"pixel_decoder/multi_scale_{level}", memory)


def test_read(golden: Any, seen: Seen, run: SimpleNamespace) -> None:
    prefix = seen.prefixes[run.sequence.prefix]
    golden.agrees(f"{run.kind}/inputs_embeds", torch.cat([prefix.embeds, run.read.embeds], 1))
    golden.agrees(f"{run.kind}/last_hidden_state", torch.cat([prefix.hidden, run.read.hidden], 1))


def test_ask(golden: Any, model: PSALM, seen: Seen, run: SimpleNamespace) -> None:
    golden.agrees(f"{run.kind}/seg_query_projected", run.asked.queries)
    if run.kind is ConditionKind.CATEGORY:
        golden.agrees("category/class_embeddings", run.asked.conditions)
    elif run.kind is ConditionKind.SENTENCE:
        golden.agrees("sentence/sentence_embedding", run.asked.conditions)
    else:
        golden.agrees("region/region_embeddings", run.asked.conditions[0])
        owner = torch.zeros(len(run.regions), dtype=torch.long)
        vectors = model.region_vectors(seen, owner, run.regions)
        golden.agrees("region/region_features", vectors.unsqueeze(1))


def test_answer(golden: Any, run: SimpleNamespace) -> None:
    *early, last = run.answered.scores
    golden.agrees(f"{run.kind}/{SCORES[run.kind]}", _official(run.kind, last))
    for level, scores in enumerate(early):
        golden.agrees(f"{run.kind}/aux{level}_{SCORES[run.kind]}", _official(run.kind, scores))
    golden.agrees(f"{run.kind}/pred_masks", run.answered.pred_masks[-1])
    for level in (0, 1):
        golden.agrees(f"{run.kind}/aux{level}_pred_masks", run.answered.pred_masks[level])


def _canvas(golden: Any) -> Canvas:
    size = golden.config["image_size"]
    content, original = golden.config["content_hw"], golden.config["original_hw"]
    assert golden["in/padding_mask"].bool().logical_not().sum() == content[0] * content[1]
    return Canvas((size, size), tuple(content), tuple(original))


def test_segments(golden: Any, run: SimpleNamespace) -> None:
    canvas = _canvas(golden)
    low, scores = run.answered.pred_masks[-1][0], run.answered.scores[-1][0]
    masks = to_original(low, canvas)
    if run.kind is ConditionKind.CATEGORY:
        _check_category_segments(golden, scores, low, masks, canvas)
    elif run.kind is ConditionKind.SENTENCE:
        ours = referred_scores(scores[:, 0], masks)
        order = ours.argsort(descending=True)
        golden.agrees("sentence/post/scores", ours[order])
        golden.agrees("sentence/post/masks", (masks[order] > 0).to(torch.uint8))
    else:
        each = torch.stack([referred_scores(row, masks) for row in scores.T])
        golden.agrees("region/post/scores", each)


def _check_category_segments(
    golden: Any, scores: Tensor, low: Tensor, masks: Tensor, canvas: Canvas
) -> None:
    is_thing = golden["in/category/is_thing"].bool()
    ids, segments = panoptic_segments(
        scores,
        masks,
        is_thing.tolist(),
        golden.config["panoptic_object_threshold"],
        golden.config["panoptic_overlap_threshold"],
    )
    golden.agrees("category/post/panoptic_seg", ids)
    theirs = golden.metadata["panoptic_segments_info"]
    ours = [
        {"id": s.id, "isthing": bool(is_thing[s.category]), "category_id": s.category}
        for s in segments
    ]
    assert ours == theirs
    golden.agrees("category/post/panoptic_sem_seg", semantic_scores(scores, masks))
    full = torch.nn.functional.interpolate(
        low[None], canvas.padded, mode="bilinear", align_corners=False
    )[0]
    semantic = to_original(semantic_scores(scores, full), canvas)
    golden.agrees("category/post/semantic_sem_seg", semantic)
    top = golden.config["instance_topk"]
    best = instances(scores, masks, top)
    golden.agrees("category/post/instance_scores", best.scores)
    golden.agrees("category/post/instance_classes", best.categories)
    golden.agrees("category/post/instance_masks", (masks[best.queries] > 0).to(torch.uint8))
    things = instances(scores, masks, top, is_thing)
    order = golden["out/category/post/panoptic_instances_scores"].argsort(descending=True)
    for name, values in (("scores", things.scores), ("classes", things.categories)):
        key = f"category/post/panoptic_instances_{name}"
        unsorted = torch.empty_like(values)
        unsorted[order] = values
        golden.agrees(key, unsorted)


def test_training_losses(golden: Any, model: PSALM, seen: Seen) -> None:
    draws = iter(sorted(name for name in golden.tensors if name.startswith("in/train/rand_")))

    def replay(shape: tuple[int, ...]) -> Tensor:
        draw = golden[next(draws)]
        assert tuple(draw.shape) == shape
        return draw

    sampling = PointSampling(
        golden.config["train_num_points"],
        golden.config["oversample_ratio"],
        golden.config["importance_sample_ratio"],
        replay,
    )
    kind, picture = ConditionKind.CATEGORY, torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        answered = model(seen, [sequence_of(golden, kind)], picture, kind)
    losses = category_losses(
        answered, [golden["in/train/masks"]], [golden["in/train/labels"]], sampling
    )
    assert next(draws, None) is None, "some recorded draws were not used"
    names = {"category": "class_name_class", "mask": "mask", "dice": "dice"}
    levels = len(answered.pred_masks)
    for ours, theirs in names.items():
        for level in range(levels):
            suffix = "" if level == levels - 1 else f"_{level}"
            golden.agrees(f"train/loss_{theirs}{suffix}", losses[level][ours].reshape(1))
    weights = {"category": 2.0, "mask": 5.0, "dice": 5.0}
    total = sum(weights[name] * value for level in losses for name, value in level.items())
    golden.agrees("train/total_weighted", torch.as_tensor(total).reshape(1))
