"""Every stage of HyperSeg against the authors' own code, at whatever sizes the golden file has."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.hyperseg import HyperSeg, Seen
from vlseg_cli.models.hyperseg_config import HyperSegConfig
from vlseg_cli.models.pixels import fit_pixels, squash_pixels, squash_regions
from vlseg_cli.models.psalm_losses import condition_losses
from vlseg_cli.models.saying import say
from vlseg_cli.models.steps import mask_tokens, pool_conditions
from vlseg_cli.nn.instance_contrast import claim, instance_contrast
from vlseg_cli.nn.mask_sampling import sample_points
from vlseg_cli.nn.matcher import match
from vlseg_cli.nn.region_pooling import sample_mean
from vlseg_cli.nn.segments import Canvas, referred_scores, to_original
from vlseg_cli.nn.tracker import IDOL_RULES, Tracker, TrackerRules
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.sequence import TokenSequence, assemble, assemble_chat
from vlseg_cli.schema import Frame
from vlseg_cli.weights.convert.hyperseg import hyperseg_rules
from vlseg_cli.weights.convert.rules import convert, find_rule

KINDS = {
    "ref": ConditionKind.SENTENCE,
    "cls": ConditionKind.CATEGORY,
    "reg": ConditionKind.REGION,
}
PICTURE = torch.zeros(1, dtype=torch.long)


def config_of(sizes: dict[str, Any]) -> HyperSegConfig:
    swin, clip, phi, fine = (sizes[part] for part in ("swin", "siglip", "phi", "fvp"))
    pixel, mask = sizes["pixel_decoder"], sizes["predictor"]
    assert pixel["conv_dim"] == mask["hidden_dim"]
    assert clip["select_hidden_state"] == -2
    return HyperSegConfig(
        image_size=sizes["image_size_swin"],
        swin_embed=swin["embed_dim"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["num_heads"]),
        swin_window=swin["window_size"],
        clip_size=clip["image_size"],
        clip_patch=clip["patch_size"],
        clip_channels=clip["hidden_size"],
        clip_layers=clip["num_hidden_layers"] - 1,
        clip_heads=clip["num_attention_heads"],
        clip_feedforward=clip["intermediate_size"],
        fine_tokens=fine["num_tokens"],
        fine_channels=fine["dim"],
        fine_heads=fine["heads"],
        fine_head_channels=fine["dim_head"],
        pixel_channels=pixel["conv_dim"],
        mask_channels=pixel["mask_dim"],
        pixel_layers=pixel["enc_layers"],
        pixel_heads=pixel["heads"],
        pixel_feedforward=pixel["ffn"],
        language_channels=phi["hidden_size"],
        language_layers=phi["num_hidden_layers"],
        language_heads=phi["num_attention_heads"],
        language_feedforward=phi["intermediate_size"],
        vocabulary=phi["vocab_size"],
        head_rows=phi["lm_head_rows"],
        rotary_factor=phi["partial_rotary_factor"],
        queries=mask["num_mask_tokens"],
        decoder_layers=mask["decoder_layers"],
        decoder_heads=mask["heads"],
        decoder_feedforward=mask["dim_feedforward"],
    )


@pytest.fixture(scope="module")
def model(golden: Any) -> HyperSeg:
    config = config_of(golden.config)
    rules = hyperseg_rules(config.clip_layers)
    official = golden.weights()
    assert all(find_rule(rules, name) for name in official)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    model = HyperSeg(config).eval()
    model.load_state_dict(ours, strict=True)
    return model


def see(golden: Any, model: HyperSeg, frame: int, carried: Tensor | None = None) -> Seen:
    pixels, clip = golden["in/frames"][frame], golden["in/frames_clip"][frame]
    with torch.no_grad():
        return model.see(pixels[None], clip[None], carried)


@pytest.fixture(scope="module")
def seen(golden: Any, model: HyperSeg) -> Seen:
    return see(golden, model, 0)


def sequence_of(golden: Any, scenario: str) -> TokenSequence:
    ids = golden[f"in/{scenario}/input_ids"].tolist()
    queries = golden.config["predictor"]["num_mask_tokens"]
    names: list[list[int]] = []
    expression: list[int] = []
    if scenario == "cls":
        tokens, owner = golden["in/cls/class_name_ids"], golden["in/cls/cls_indices"]
        names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
        assert len(names) == golden.config["num_classes_incl_background"]
    if scenario == "ref":
        expression = golden["in/ref/token_refer_id"].tolist()
    return assemble(ids, queries, names=names, expression=expression, keep_tail=True)


def steps(
    golden: Any, model: HyperSeg, seen: Seen, scenario: str, regions: Tensor | None = None
) -> SimpleNamespace:
    sequence, kind = sequence_of(golden, scenario), KINDS[scenario]
    with torch.no_grad():
        read = model.read(seen, [sequence], PICTURE, regions)
        asked = model.ask(read, kind)
        answered = model.answer(seen, PICTURE, asked, kind)
        carried = model.carry(seen, sequence)
    return SimpleNamespace(
        scenario=scenario,
        sequence=sequence,
        prefix=seen.prefixes[sequence.prefix, sequence.between],
        read=read,
        asked=asked,
        answered=answered,
        carried=carried,
    )


def sampled_regions(golden: Any, seen: Seen) -> Tensor:
    """Region vectors from the very points that the authors drew."""
    points = golden["in/reg/points_yx"].flip(-1)
    assert points.shape[1] == golden.config["region_points"]
    return sample_mean(seen.tokens.expand(len(points), -1, -1, -1), points)


@pytest.fixture(scope="module", params=list(KINDS))
def run(request: Any, golden: Any, model: HyperSeg, seen: Seen) -> SimpleNamespace:
    regions = sampled_regions(golden, seen) if request.param == "reg" else None
    return steps(golden, model, seen, request.param, regions)


def test_see(golden: Any, model: HyperSeg, seen: Seen) -> None:
    with torch.no_grad():
        golden.agrees("ref/siglip_features", model.clip_tower(golden["in/frames_clip"][:1]))
    golden.agrees("ref/connector", seen.tokens.flatten(2).transpose(1, 2))
    for name, features in zip(("res2", "res3", "res4", "res5"), seen.pyramid, strict=True):
        golden.agrees(f"ref/swin_{name}", features)
    golden.agrees("ref/pixel_mask_features", seen.pixels.mask_features)
    for level, memory in enumerate(seen.pixels.memory):
        golden.agrees(f"ref/pixel_multi_scale_{level}", memory)


def test_perceive(golden: Any, model: HyperSeg, seen: Seen) -> None:
    perceiver = model.perceiver
    with torch.no_grad():
        queries = perceiver.query[None]
        scales = perceiver.scales(seen.pyramid[1:])
        for level, (layer, features) in enumerate(zip(perceiver.layers, scales, strict=True)):
            golden.agrees(f"ref/fvp_kv_{level}", features)
            queries = layer(queries, features)
            golden.agrees(f"ref/fvp_after_scale_{level}", queries)
        golden.agrees("ref/fvp_normed", perceiver.norm(queries))
    golden.agrees("ref/fvp_tokens", seen.fine)


def test_read(golden: Any, run: SimpleNamespace) -> None:
    name, before = run.scenario, run.prefix.embeds.shape[1]
    embeds = torch.cat([run.prefix.embeds, run.read.embeds], 1)
    golden.agrees(f"{name}/llm_inputs_embeds", embeds)
    golden.agrees(f"{name}/llm_hidden", torch.cat([run.prefix.hidden, run.read.hidden], 1))
    golden.agrees(f"{name}/llm_hidden_mask_tokens", mask_tokens(run.read))
    fine = golden.config["fvp"]["num_tokens"]
    golden.agrees(f"{name}/pos_fvp_tokens", torch.arange(before - fine, before))
    places = (run.read.ids[0] < 0) & (run.read.condition[0] < 0)
    golden.agrees(f"{name}/pos_mask_tokens", places.nonzero()[:, 0] + before)
    if name == "cls":
        index = torch.cat([torch.zeros(before, dtype=torch.long), run.read.condition[0] + 1])
        golden.agrees("cls/pos_class_index", index)
    else:
        conditions = (run.read.condition[0] >= 0).nonzero()[:, 0] + before
        golden.agrees("ref/pos_sentence" if name == "ref" else "reg/pos_region", conditions)


def test_ask(golden: Any, model: HyperSeg, seen: Seen, run: SimpleNamespace) -> None:
    golden.agrees(f"{run.scenario}/mask_tokens_projected", run.asked.queries)
    pooled, _ = pool_conditions(run.read)
    if run.scenario == "reg":
        golden.agrees("reg/cond_region_hidden", pooled[0])
        golden.agrees("reg/cond_region_projected", run.asked.conditions[0])
        golden.agrees("reg/region_features", sampled_regions(golden, seen))
        masks = golden["in/reg/region_masks"].bool()
        assert len(masks) == golden.config["num_regions"]
        vectors = model.region_vectors(seen, torch.zeros(len(masks), dtype=torch.long), masks)
        golden.agrees("reg/region_features_unique_mean", vectors.detach())
    else:
        kind = "sentence" if run.scenario == "ref" else "class"
        golden.agrees(f"{run.scenario}/cond_{kind}_pooled", pooled)
        golden.agrees(f"{run.scenario}/cond_{kind}_projected", run.asked.conditions)


def test_answer(golden: Any, run: SimpleNamespace) -> None:
    name, scores = run.scenario, run.answered.scores[-1]
    *early, last = run.answered.pred_masks
    golden.agrees(f"{name}/pred_masks", last)
    for level, masks in enumerate(early):
        golden.agrees(f"{name}/aux{level}_pred_masks_mean", masks.mean((2, 3)))
    if name == "reg":
        golden.agrees("reg/score_region", scores[0].T)
    else:
        golden.agrees("ref/score_sentence" if name == "ref" else "cls/score_class", scores)


def canvas_of(golden: Any) -> Canvas:
    size, content = golden.config["image_size_swin"], tuple(golden.config["valid_hw"])
    original = tuple(golden["in/orig_hw"].tolist())
    assert original == tuple(golden.config["original_hw"])
    assert golden["in/padding_mask"].bool().logical_not().sum() == content[0] * content[1]
    return Canvas((size, size), content, original)


def test_segments(golden: Any, model: HyperSeg, seen: Seen) -> None:
    answered = steps(golden, model, seen, "ref").answered
    masks = to_original(answered.pred_masks[-1][0], canvas_of(golden))
    scores = referred_scores(answered.scores[-1][0, :, 0], masks)
    golden.agrees("ref/post_scores", scores)
    golden.agrees("ref/post_masks", (masks > 0).to(torch.uint8))
    golden.agrees("ref/best_mask_token", scores.argmax().reshape(1))


def test_a_sentence_through_a_video(golden: Any, model: HyperSeg) -> None:
    carried, canvas = None, canvas_of(golden)
    for t in range(golden.config["video_frames"]):
        seen = see(golden, model, t, carried)
        run = steps(golden, model, seen, "ref")
        carried, masks = run.carried, run.answered.pred_masks[-1]
        golden.agrees(f"vid/{t}/fvp_tokens", seen.fine)
        golden.agrees(f"vid/{t}/llm_hidden_mask_tokens", mask_tokens(run.read))
        golden.agrees(f"vid/{t}/cond_sentence_projected", run.asked.conditions)
        golden.agrees(f"vid/{t}/pred_masks", masks)
        golden.agrees(f"vid/{t}/score_sentence", run.answered.scores[-1])
        each = referred_scores(run.answered.scores[-1][0, :, 0], to_original(masks[0], canvas))
        golden.agrees(f"vid/{t}/post_scores", each)
        golden.agrees(f"vid/{t}/next_temporal_query", carried)


def test_categories_through_a_video(golden: Any, model: HyperSeg) -> None:
    carried = None
    for t in range(golden.config["video_frames"]):
        run = steps(golden, model, see(golden, model, t, carried), "cls")
        carried = run.carried
        with torch.no_grad():
            identified = model.identify(run.answered)
        golden.agrees(f"vis/{t}/cond_class_projected", run.asked.conditions)
        golden.agrees(f"vis/{t}/score_class", run.answered.scores[-1])
        golden.agrees(f"vis/{t}/pred_boxes", identified.boxes)
        golden.agrees(f"vis/{t}/decoder_hs", run.answered.content)
        golden.agrees(f"vis/{t}/instance_embedding", identified.embeddings)
        golden.agrees(f"vis/{t}/pred_masks", run.answered.pred_masks[-1])
        golden.agrees(f"vis/{t}/next_temporal_query", carried)


def test_chat(golden: Any, model: HyperSeg, seen: Seen) -> None:
    sequence = assemble_chat(golden["in/vqa/input_ids"].tolist())
    with torch.no_grad():
        read = model.read(seen, [sequence], PICTURE)
        hidden = torch.cat([model.read_prefix(seen, sequence).hidden, read.hidden], 1)
        golden.agrees("vqa/logits", model.lm_head(hidden))
    count = len(golden["out/vqa/greedy_ids"])
    said = say(model, model.read_prefix(seen, sequence), 0, sequence, lambda _: False, count)
    golden.agrees("vqa/greedy_ids", torch.tensor(said))


def test_preprocessing(golden: Any) -> None:
    frame = Frame(golden["in/pre/image"].numpy(), "pre")
    pixels, (height, width) = fit_pixels(frame, golden.config["image_size_swin"])
    golden.agrees("pre/swin_input", torch.from_numpy(pixels))
    padding = torch.ones(pixels.shape[1:], dtype=torch.uint8)
    padding[:height, :width] = 0
    golden.agrees("pre/padding_mask", padding)
    size = golden.config["siglip"]["image_size"]
    golden.agrees("pre/siglip_input", torch.from_numpy(squash_pixels(frame, size)))
    mask = golden["in/pre/region_mask"].numpy().astype(bool)
    golden.agrees(
        "pre/region_mask_resized", torch.from_numpy(squash_regions(mask[None], size)) * 1.0
    )


@pytest.mark.parametrize(
    ("column", "rules"), [("default", TrackerRules()), ("idol", IDOL_RULES)], ids=str
)
def test_tracker(golden: Any, column: str, rules: TrackerRules) -> None:
    tracker = Tracker(rules)
    frames = {int(name.split("/")[2]) for name in golden.tensors if name.startswith("in/tracker/")}
    for t in sorted(frames):
        at = f"in/tracker/{t}"
        tracked = tracker.step(
            golden[f"{at}/bboxes"][:, 4].numpy(),
            golden[f"{at}/embeds"].numpy(),
            (golden[f"{at}/mask_logits"][:, 0].sigmoid() > 0.5).numpy(),
        )
        golden.agrees(f"tracker_{column}/{t}/ids", torch.from_numpy(tracked.ids))
        golden.agrees(f"tracker_{column}/{t}/kept_indices", torch.from_numpy(tracked.kept))
        tracker = Tracker(rules, {key: np.array(v) for key, v in tracker.state().items()})


def test_reidentification(golden: Any) -> None:
    seen, logits, true, labels = (
        golden[f"in/reid/{name}"]
        for name in ("ref_boxes", "ref_class_logits", "gt_boxes", "gt_labels")
    )
    positive = claim(seen, logits, true, labels, 10)
    candidates = claim(seen, logits, true, labels, 30)
    golden.agrees("reid/pos_top10", positive.to(torch.uint8))
    golden.agrees("reid/cand_top30", candidates.to(torch.uint8))
    key, embeddings = golden["in/reid/key_embeds"], golden["in/reid/ref_embeds"]
    value = instance_contrast(key, embeddings, positive, candidates)
    golden.agrees("reid/contrastive_per_instance", value.contrast)


class DrawnPoints:
    """A ``MaskSampling`` at the very points that the authors drew."""

    def __init__(self, matching: Tensor, learning: Tensor) -> None:
        self.matching, self.learning = matching, learning

    def prepare(self, truth: Tensor) -> Tensor:
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        return self._at(logits, self.matching), self._at(truth, self.matching)

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        return self._at(logits, self.learning), self._at(truth, self.learning)

    def _at(self, maps: Tensor, points: Tensor) -> Tensor:
        return sample_points(maps, points.expand(len(maps), -1, -1))


def test_matching_and_losses(golden: Any, model: HyperSeg, seen: Seen) -> None:
    answered = steps(golden, model, seen, "ref").answered
    truth, points = golden["in/loss/targets"], golden.config["loss"]["num_points"]
    sampling = DrawnPoints(golden["in/loss/matcher_points"], golden["in/loss/mask_points"])
    assert sampling.learning.shape[1] == sampling.matching.shape[1] == points
    logits, wanted = sampling.for_matching(answered.pred_masks[-1][0], truth.float())
    weights = [golden.config["loss"][f"{name}_weight"] for name in ("mask", "dice", "class")]
    queries, objects = match(logits, wanted, None, (weights[0], weights[1], weights[2]))
    golden.agrees("loss/match_pred", queries)
    golden.agrees("loss/match_gt", objects)
    labels = [torch.zeros(len(truth), dtype=torch.long)]
    last = condition_losses(answered, [truth], labels, sampling, ConditionKind.SENTENCE)[-1]
    for ours, theirs in (("sentence", "SEG_class"), ("mask", "mask"), ("dice", "dice")):
        golden.agrees(f"loss/loss_{theirs}", last[ours].reshape(1))


def test_nothing_is_left_uncompared(golden: Any) -> None:
    """Every group that the file has is one that a test above walks through."""
    groups = {name.split("/")[1] for name in golden.tensors if name.startswith("out/")}
    told = {"ref", "cls", "reg", "vid", "vis", "vqa", "pre", "reid", "loss"}
    assert groups == told | {"tracker_default", "tracker_idol"}
