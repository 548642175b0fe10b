"""Every stage of MVP-LM against the authors' own code, at whatever sizes the golden file has."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlseg_cli.models.mvp_lm import MVPLM
from vlseg_cli.models.mvp_lm_config import MVPLMConfig
from vlseg_cli.models.mvp_lm_losses import (
    Counts,
    Truth,
    count,
    denoised_losses,
    level_losses,
    match_level,
)
from vlseg_cli.models.mvp_lm_steps import Level
from vlseg_cli.models.psalm import Seen
from vlseg_cli.nn.boxes import centred, to_pixels
from vlseg_cli.nn.deformable import flatten
from vlseg_cli.nn.denoising import shake
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.mask_sampling import sample_points
from vlseg_cli.nn.query_selection import proposals
from vlseg_cli.nn.segments import (
    Canvas,
    instances,
    panoptic_segments,
    referred_scores,
    semantic_scores,
    to_original,
)
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.mvp_lm import IGNORED
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.prompts.sequence import TokenSequence, assemble
from vlseg_cli.weights.convert.mvp_lm import mvp_lm_rules
from vlseg_cli.weights.convert.rules import convert, find_rule

TOLERANCE = 1e-4  # relative to the largest value
STUFF_FROM = 80  # in the authors' training code, labels from here up are stuff
KINDS = {
    "pan": ConditionKind.CATEGORY,
    "det": ConditionKind.CATEGORY,
    "ref": ConditionKind.SENTENCE,
}
OFFICIAL = {
    "category": "class_name_class",
    "sentence": "SEG_class",
    "mask": "mask",
    "dice": "dice",
    "box": "bbox",
    "giou": "giou",
}
WEIGHTS = {"category": 2.0, "sentence": 2.0, "mask": 5.0, "dice": 5.0, "box": 5.0, "giou": 2.0}
INSIDE = {"sentence": 0.1}  # factors that the authors' code hides in a loss


def agree(golden: Any, name: str, ours: Tensor) -> None:
    """Whole numbers exactly, others within the tolerance; infinities in the same places."""
    theirs = golden[f"out/{name}"]
    assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: {ours.shape} != {theirs.shape}"
    if not theirs.is_floating_point():
        assert torch.equal(ours.long(), theirs.long()), f"{name} differs"
        return
    known = theirs.isfinite()
    assert torch.equal(ours.isfinite(), known), f"{name}: infinities elsewhere"
    assert torch.equal(ours[~known], theirs[~known]), f"{name}: other infinities"
    scale = max(1.0, float(theirs[known].abs().max()))
    error = float((ours[known] - theirs[known]).abs().max()) / scale
    assert error <= TOLERANCE, f"{name}: off by {error:.2e} of its largest value"


def config_of(golden: Any) -> MVPLMConfig:
    """Sizes from the file's own table, or from the weights where it does not say them."""
    sizes, weights = golden.config, golden.weights()
    swin, phi = sizes["swin"], sizes["phi"]
    offsets = weights["predictor.decoder.layers.0.cross_attn.sampling_offsets.bias"]
    encoder = weights["pixel_decoder.transformer.encoder.layers.0.self_attn.sampling_offsets.bias"]
    return MVPLMConfig(
        swin_embed=swin["embed"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["heads"]),
        swin_window=swin["window"],
        connector_width=sizes["connector_planes"],
        pixel_channels=sizes["hidden"],
        mask_channels=sizes["mask_dim"],
        pixel_layers=sizes["enc_layers"],
        pixel_heads=len(encoder) // 32,  # 4 levels, 4 points, x and y
        pixel_feedforward=sizes["enc_ffn"],
        language_channels=phi["hidden"],
        language_layers=phi["layers"],
        language_heads=phi["heads"],
        language_feedforward=phi["inter"],
        vocabulary=phi["vocab"],
        queries=sizes["num_queries"],
        stuff_queries=sizes["num_stuff"],
        decoder_layers=sizes["dec_layers"],
        decoder_heads=len(offsets) // 32,
        decoder_feedforward=sizes["dec_ffn"],
    )


@pytest.fixture(scope="module")
def model(golden: Any) -> MVPLM:
    config = config_of(golden)
    official = golden.weights()
    rules = mvp_lm_rules(config.language_heads, config.vocabulary, official)
    assert all(find_rule(rules, name) for name in official)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    model = MVPLM(config).eval()
    model.load_state_dict(ours, strict=True)
    return model


@pytest.fixture(scope="module")
def encoded(golden: Any, model: MVPLM) -> SimpleNamespace:
    """What is seen, with the output of every layer of the pixel decoder on the way."""
    layers: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output: layers.append(output))
        for layer in model.pixel_decoder.layers
    ]
    with torch.no_grad():
        seen = model.see(golden["in/image"])
    for hook in hooks:
        hook.remove()
    return SimpleNamespace(seen=seen, layers=layers)


@pytest.fixture(scope="module")
def seen(encoded: SimpleNamespace) -> Seen:
    return encoded.seen


def sequence_of(golden: Any, case: str, slots: int) -> TokenSequence:
    """The file's own tokens; conditions in the order of the names, whatever order they are read
    in."""
    ids = golden[f"in/{case}/input_ids"][0].tolist()
    if case.endswith("ref"):
        refer = golden[f"in/{case}/token_refer_id"].tolist()
        return assemble(ids, slots, expression=refer, keep_tail=True)
    tokens, owner = golden[f"in/{case}/class_name_ids"][0], golden[f"in/{case}/cls_indices"][0]
    names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
    read = assemble(ids, slots, names=names, keep_tail=True)
    if f"in/{case}/random_idx" not in golden.tensors:
        return read
    canonical = golden[f"in/{case}/random_idx"][0].argsort().numpy()
    condition = np.where(read.condition >= 0, canonical[read.condition], -1)
    return TokenSequence(read.prefix, read.ids, condition)


@pytest.fixture(scope="module", params=list(KINDS))
def run(request: Any, golden: Any, model: MVPLM, seen: Seen) -> SimpleNamespace:
    case, picture = request.param, torch.zeros(1, dtype=torch.long)
    sequence, kind = sequence_of(golden, case, 1), KINDS[case]
    with torch.no_grad():
        read = model.read(seen, [sequence], picture)
        instruction = model.pool(read)
        asked = model.ask(seen, picture, instruction, kind, stuff=case == "pan")
        answered = model.answer(seen, picture, asked, kind, every=True)
    return SimpleNamespace(
        case=case,
        kind=kind,
        sequence=sequence,
        read=read,
        instruction=instruction,
        asked=asked,
        answered=answered,
    )


def test_see(golden: Any, encoded: SimpleNamespace) -> None:
    seen = encoded.seen
    for name, features in zip(("res2", "res3", "res4", "res5"), seen.pyramid, strict=True):
        agree(golden, f"vision/{name}", features)
    agree(golden, "vision/connector", seen.tokens.flatten(2).transpose(1, 2))
    agree(golden, "vision/mask_features", seen.pixels.mask_features)
    for layer, output in enumerate(encoded.layers):
        agree(golden, f"vision/enc_layer{layer}", output)
    for name, memory in zip(("res6", "res5", "res4", "res3"), seen.pixels.memory, strict=True):
        agree(golden, f"vision/pixel_{name}", memory)


def test_candidates(golden: Any, model: MVPLM, seen: Seen) -> None:
    memory = flatten(seen.pixels.memory)
    agree(golden, "vision/src_flatten", memory.vectors)
    agree(golden, "vision/spatial_shapes", torch.tensor(memory.sizes))
    with torch.no_grad():
        candidates = model.selection(memory)
        boxes = model.decoder.box_head(candidates.features) + candidates.proposals
    agree(golden, "vision/proposals_unsig", proposals(memory)[None])
    agree(golden, "vision/output_memory", candidates.features)
    agree(golden, "vision/memory_boxes_unsig", boxes)


def test_read(golden: Any, model: MVPLM, seen: Seen, run: SimpleNamespace) -> None:
    case, read = run.case, run.read
    prefix = seen.prefixes[run.sequence.prefix]
    embeds = torch.cat([prefix.embeds, read.embeds], 1)
    agree(golden, f"{case}/inputs_embeds", embeds)
    with torch.no_grad():
        states = torch.stack(
            model.language(inputs_embeds=embeds, output_hidden_states=True).hidden_states
        )
    agree(golden, f"{case}/llm_hidden_states", states[:, 0])
    agree(golden, f"{case}/llm_hidden_mean", states.mean(0))
    hidden = torch.cat([prefix.hidden, read.hidden], 1)
    agree(golden, f"{case}/llm_last_hidden", hidden)
    agree(golden, f"{case}/lm_logits", model.lm_head(hidden).detach())
    before = prefix.embeds.shape[1]
    assert torch.allclose(states.mean(0)[:, before:], read.mean, atol=1e-4)
    agree(golden, f"{case}/attention_mask", torch.ones(embeds.shape[:2]))


def test_positions(golden: Any, seen: Seen, run: SimpleNamespace) -> None:
    case, read = run.case, run.read
    before = seen.prefixes[run.sequence.prefix].embeds.shape[1]
    words = len(run.sequence.prefix)
    mark = torch.zeros(1, before + read.ids.shape[1])
    mark[:, words:before] = 1
    agree(golden, f"{case}/image_mask", mark)
    summary = torch.cat([torch.zeros(1, before), read.ids == Placeholder.QUERIES], 1)
    agree(golden, f"{case}/seg_mask", summary)
    agree(golden, f"{case}/seg_position", summary.argmax(1))
    index = torch.cat([torch.full((1, before), -1), read.condition], 1) + 1
    agree(golden, f"{case}/{'refer' if case == 'ref' else 'class'}_index", index)
    silent = torch.full((1, before), IGNORED)
    agree(golden, f"{case}/labels", torch.cat([silent, said(golden, case, read.ids)], 1))
    agree(golden, f"{case}/llm_last_hidden_at_seg", run.instruction.summary[None])
    at = (read.ids == Placeholder.QUERIES)[0]
    agree(golden, f"{case}/llm_hidden_mean_at_seg", read.mean[:, at])


def said(golden: Any, case: str, ids: Tensor) -> Tensor:
    """The file's labels of the answer, at our positions."""
    labels = golden[f"in/{case}/labels"][0]
    tail = labels[int((labels != IGNORED).int().argmax()) :]
    slots = int((ids == Placeholder.QUERIES).sum())
    count = len(tail) + slots - 1
    ours = torch.full_like(ids, IGNORED)
    ours[:, -count:] = ids[:, -count:]
    return ours.masked_fill(ids == Placeholder.QUERIES, IGNORED)


def test_ask(golden: Any, model: MVPLM, seen: Seen, run: SimpleNamespace) -> None:
    case, asked = run.case, run.asked
    agree(golden, f"{case}/pooled", run.instruction.pooled)
    agree(golden, f"{case}/instr_embed", asked.conditions)
    with torch.no_grad():
        candidates = model.selection(flatten(seen.pixels.memory))
        wanted = asked.conditions[0, : -1 if case != "ref" else None]
        logits = model.condition_heads[run.kind](candidates.features) @ wanted.T
    agree(golden, f"{case}/enc_logits", logits)
    agree(golden, f"{case}/topk_idx", asked.places)
    agree(golden, f"{case}/query", asked.queries)
    agree(golden, f"{case}/ref_unsig", asked.boxes)
    agree(golden, f"{case}/ref_init_cxcywh", asked.boxes.sigmoid())


def test_answer(golden: Any, model: MVPLM, seen: Seen, run: SimpleNamespace) -> None:
    case, answered = run.case, run.answered
    for number, level in enumerate(answered.levels):
        check_level(golden, f"{case}/layer{number}", level)
    check_level(golden, f"{case}/final", answered.levels[-1])
    check_level(golden, f"{case}/interm", answered.initial)
    with torch.no_grad():
        memory = flatten(seen.pixels.memory)
        decoded = model.decoder(run.asked.queries, run.asked.boxes, memory, None)
        (last,) = model.answer(seen, torch.zeros(1).long(), run.asked, run.kind).levels
    for number, hidden in enumerate(decoded.hidden, 1):
        agree(golden, f"{case}/layer{number}/hs", hidden)
    for number, reference in enumerate(decoded.references):
        agree(golden, f"{case}/reference{number}", reference)
    check_level(golden, f"{case}/final", last)


def check_level(golden: Any, name: str, level: Level) -> None:
    agree(golden, f"{name}/logits", level.scores)
    agree(golden, f"{name}/boxes", level.boxes)
    agree(golden, f"{name}/masks", level.pred_masks)


def canvas_of(golden: Any) -> Canvas:
    padded, content, original = (tuple(golden.config[key]) for key in ("image", "content", "orig"))
    assert golden["in/padding_mask"].bool().logical_not().sum() == content[0] * content[1]
    return Canvas(padded, content, original)


def test_segments(golden: Any, run: SimpleNamespace) -> None:
    case, canvas = run.case, canvas_of(golden)
    scores, boxes, low = (part[0] for part in run.answered.levels[-1])
    masks, boxes = to_original(low, canvas), to_pixels(boxes, canvas)
    top = golden.config["num_queries"]
    if case == "ref":
        each = referred_scores(scores[:, 0], masks)
        order = each.argsort(descending=True)[ranks(golden, "ref/post/inst_scores")]
        agree(golden, "ref/post/inst_scores", each[order])
        agree(golden, "ref/post/inst_masks", masks[order] > 0)
        # The authors' code gives no boxes for sentences; ours are checked in test_answer.
        agree(golden, "ref/post/inst_boxes_xyxy", torch.zeros(top, 4))
        return
    is_thing = torch.tensor(golden.config["is_thing"]).bool()
    if case == "pan":
        check_panoptic(golden, scores, masks, is_thing)
    best = instances(scores, masks, top, is_thing if case == "pan" else None)
    order = ranks(golden, f"{case}/post/inst_scores")
    agree(golden, f"{case}/post/inst_scores", best.scores[order])
    agree(golden, f"{case}/post/inst_labels", best.categories[order])
    agree(golden, f"{case}/post/inst_boxes_xyxy", boxes[best.queries][order])
    agree(golden, f"{case}/post/inst_masks", masks[best.queries][order] > 0)


def ranks(golden: Any, name: str) -> Tensor:
    """Ours are best first; where each of theirs, in their own order, stands among those."""
    return golden[f"out/{name}"].argsort(descending=True, stable=True).argsort()


def check_panoptic(golden: Any, scores: Tensor, masks: Tensor, is_thing: Tensor) -> None:
    defaults = MVPLMConfig()
    ids, segments = panoptic_segments(
        scores,
        masks,
        is_thing.tolist(),
        defaults.panoptic_score,
        defaults.panoptic_overlap,
    )
    agree(golden, "pan/post/panoptic_seg", ids)
    ours = [
        {"id": s.id, "isthing": bool(is_thing[s.category]), "category_id": s.category}
        for s in segments
    ]
    assert ours == golden.metadata["post"]["pan"]["segments_info"]
    semantic = semantic_scores(scores, masks)
    agree(golden, "pan/post/sem_seg_argmax", semantic.argmax(0))
    agree(golden, "pan/post/sem_seg_mean", semantic.mean((1, 2)))


class GivenPoints:
    """A sampling that takes the file's own points everywhere."""

    def __init__(self, points: Tensor) -> None:
        self.points = points

    def prepare(self, truth: Tensor) -> Tensor:
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        return self._at(logits), self._at(truth)

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        return self._at(logits), self._at(truth)

    def _at(self, maps: Tensor) -> Tensor:
        return sample_points(maps, self.points.expand(len(maps), -1, -1))


@pytest.fixture(scope="module", params=list(KINDS))
def step(request: Any, golden: Any, model: MVPLM, seen: Seen) -> SimpleNamespace:
    """One recorded training step, up to its predictions."""
    kind, case = KINDS[request.param], f"train_{request.param}"
    slots = 1 if request.param == "pan" else golden.config["num_queries"]
    sequence, picture = sequence_of(golden, case, slots), torch.zeros(1, dtype=torch.long)
    truth = truth_of(golden, case)
    noise = None
    with torch.no_grad():
        read = model.read(seen, [sequence], picture)
        instruction = model.pool(read)
        asked = model.ask(seen, picture, instruction, kind, stuff=request.param == "pan")
        if kind is ConditionKind.CATEGORY:
            noise = shake(
                asked.conditions,
                [truth.boxes],
                [truth.labels],
                golden.config["dn_num"],
                golden[f"in/{case}/dn_noise"][None],
            )
        answered = model.answer(seen, picture, asked, kind, every=True, noise=noise)
        language = next_token_loss(model.lm_head(read.hidden), said(golden, case, read.ids))
    return SimpleNamespace(
        case=case,
        kind=kind,
        truth=truth,
        noise=noise,
        answered=answered,
        language=language,
        selected=golden.config["num_queries"] if request.param == "pan" else None,
    )


def truth_of(golden: Any, case: str) -> Truth:
    height, width = golden.config["image"]
    boxes = golden[f"in/{case}/gt_boxes_xyxy_abs"] / torch.tensor([width, height] * 2)
    labels = golden[f"in/{case}/gt_classes"].long()
    name = f"in/{case}/gt_masks"
    masks = golden[name].float() if name in golden.tensors else None
    assert (masks is None) == (case == "train_det")
    is_thing = labels < STUFF_FROM
    labels = torch.zeros_like(labels) if case == "train_ref" else labels
    return Truth(labels, centred(boxes), is_thing, masks)


def test_denoising(golden: Any, step: SimpleNamespace) -> None:
    case, noise = step.case, step.noise
    if noise is None:
        assert not any(name.startswith(f"out/{case}/dn/") for name in golden.tensors)
        return
    agree(golden, f"{case}/dn/query_label", noise.queries)
    agree(golden, f"{case}/dn/query_bbox_unsig", noise.boxes)
    agree(golden, f"{case}/dn/scalar", torch.tensor(noise.groups))
    agree(golden, f"{case}/dn/pad_size", torch.tensor(noise.queries.shape[1]))
    total = noise.queries.shape[1] + step.answered.levels[-1].boxes.shape[1]
    agree(golden, f"{case}/dn/attn_mask", noise.blocked(total))
    last = step.answered.denoised[-1]
    agree(golden, f"{case}/dn/final_logits", last.scores)
    agree(golden, f"{case}/dn/final_boxes", last.boxes)
    agree(golden, f"{case}/dn/final_masks", last.pred_masks)


def test_training_losses(golden: Any, step: SimpleNamespace) -> None:
    case, truth, kind = step.case, [step.truth], step.kind
    sampling = GivenPoints(golden["in/train_points"])
    counts = Counts(*(max(float(n), 1.0) for n in count(truth)))
    check_level(golden, f"{case}/final", step.answered.levels[-1])
    *early, last = step.answered.levels
    stages = {"": last, **{f"_{i}": level for i, level in enumerate(early)}}
    losses: dict[str, Tensor] = {}
    for suffix, level in {**stages, "_interm": step.answered.initial}.items():
        pairs = match_level(level, truth, kind, sampling, step.selected)
        matched = f"aux{suffix[1:]}" if suffix[1:].isdigit() else suffix[1:] or "final"
        agree(golden, f"{case}/match/{matched}", torch.stack(pairs[0]))
        found = level_losses(level, truth, pairs, kind, sampling, counts)
        losses |= {
            f"{OFFICIAL[name]}{suffix}": scaled(name, value) for name, value in found.items()
        }
    if step.noise is not None:
        for suffix, level in zip(
            [f"_{i}_dn" for i in range(len(early))] + ["_dn"], step.answered.denoised, strict=True
        ):
            found = denoised_losses(level, step.noise, truth, sampling, counts)
            losses |= {f"{OFFICIAL[name]}{suffix}": value for name, value in found.items()}
    check_losses(golden, case, losses, step.language)


def scaled(name: str, value: Tensor) -> Tensor:
    return INSIDE.get(name, 1.0) * value


def check_losses(golden: Any, case: str, losses: dict[str, Tensor], language: Tensor) -> None:
    """Every recorded loss, which are no fewer than ours; what ours leaves out is 0 in theirs."""
    start = f"out/{case}/loss_unweighted/loss_"
    recorded = {name.removeprefix(start) for name in golden.tensors if name.startswith(start)}
    assert losses.keys() <= recorded
    for name in recorded:
        ours = losses.get(name, torch.zeros(()))
        agree(golden, f"{case}/loss_unweighted/loss_{name}", ours)
    totals = {
        official: sum(
            (WEIGHTS[ours] * v for n, v in losses.items() if n.startswith(official)),
            torch.zeros(()),
        )
        for ours, official in OFFICIAL.items()
    }
    for name, value in totals.items():
        agree(golden, f"{case}/total/loss_{name}", value)
    agree(golden, f"{case}/total/loss_llm", language)
    agree(golden, f"{case}/total/loss", sum(totals.values(), language))
