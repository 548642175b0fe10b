"""Every stage of LLM-Seg, which is HRSeg with both additions off, against the authors' own code."""

import ast
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.models.hrseg import Answered, HRSeg, Seen
from vlseg_cli.models.hrseg_config import LLM_SEG, HRSegConfig
from vlseg_cli.models.hrseg_losses import losses_per_text, picture_mean
from vlseg_cli.models.hrseg_pictures import longest_side, soft_masks
from vlseg_cli.models.hrseg_targets import targets_of
from vlseg_cli.models.nearest import nearest
from vlseg_cli.nn.dinov2 import DINOv2
from vlseg_cli.nn.everything import (
    keep_stable,
    point_grid,
    promising,
    suppress_doubles,
    take,
    to_input,
)
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.mask_pooling import enlarge, pool_masks
from vlseg_cli.nn.mask_selection import Selection, select
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.prompts.legacy_llama import legacy_ids
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.prompts.sequence import TokenSequence
from vlseg_cli.prompts.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.convert.dinov2 import dinov2_rules
from vlseg_cli.weights.convert.hrseg import LLM_SEG_RULES
from vlseg_cli.weights.convert.rules import Rule, convert, find_rule
from vlseg_cli.weights.convert.sam import sam_rules
from vlseg_cli.weights.read.sentencepiece_model import read_sentencepiece_model

RMS_EPSILON = 1e-6
DINO_HEADS, SAM_DECODER_HEADS, SAM_POINTS = 4, 2, 1024  # what the layout states beside the files
PICTURE_TOKENS = 256
ANTIALIAS = (True, False)  # of the first and the second picture's proposals


def close(golden: Any, name: str, ours: Tensor, tolerance: float = 1e-5) -> None:
    """Assert that ``ours`` is output ``name``, relative to its largest number above 1; exactly
    where those are whole numbers."""
    theirs = golden.tensors[name] if name in golden.tensors else golden[name]
    assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: {ours.shape} != {theirs.shape}"
    if not theirs.is_floating_point():
        tolerance = 0
    error = float((ours.detach().double() - theirs.double()).abs().max())
    tolerance *= max(1.0, float(theirs.abs().max()))
    assert error <= tolerance, f"{name}: off by {error:.2e}, allowed {tolerance:.0e}"


def sizes_of(golden: Any) -> dict[str, Any]:
    """The ``config`` of the metadata: a Python table whose values are Python again."""
    return {k: ast.literal_eval(v) for k, v in ast.literal_eval(golden.config).items()}


def counted(golden: Any, stem: str) -> int:
    """How many layers have names that begin with ``stem``."""
    return 1 + max(int(n[len(stem) :].split(".")[0]) for n in golden.tensors if n.startswith(stem))


def config_of(golden: Any) -> HRSegConfig:
    sizes = sizes_of(golden)
    clip = "w/model.vision_tower.vision_tower.vision_model."
    patches = golden[f"{clip}embeddings.patch_embedding.weight"]
    return HRSegConfig(
        **LLM_SEG
        | {
            "view": sizes["g"] * 14,
            "dino_width": sizes["Cd"],
            "dino_layers": 1,
            "dino_heads": 1,
            "channels": sizes["D"],
            "mask_size": golden["out/soft_masks_256_0"].shape[-1],
            "proposals": "embedded",
            "clip_image": golden["in/images_clip"].shape[-1],
            "clip_patch": patches.shape[-1],
            "clip_width": sizes["clipH"],
            "clip_layers": counted(golden, f"{clip}encoder.layers."),
            "clip_heads": sizes["clipheads"],
            "clip_feedforward": len(golden[f"{clip}encoder.layers.0.mlp.fc1.weight"]),
            "language_channels": sizes["H"],
            "language_layers": counted(golden, "w/model.layers."),
            "language_heads": sizes["lheads"],
            "language_feedforward": sizes["inter"],
            "vocabulary": sizes["V"],
            "norm_epsilon": RMS_EPSILON,
            "fusion_layers": counted(golden, "w/model.lisa_attention_layers."),
            "fusion_heads": sizes["heads"],
            "fusion_feedforward": sizes["mlp"],
            "embedding_head": sizes["ehid"],
            "iop_head": sizes["ihid"],
        }
    )


def converted(rules: tuple[Rule, ...], official: dict[str, Tensor]) -> dict[str, Tensor]:
    assert all(find_rule(rules, name) for name in official)
    return {
        k: v for name, tensor in official.items() for k, v in convert(rules, name, tensor).items()
    }


@pytest.fixture(scope="module")
def model(golden: Any) -> HRSeg:
    model = HRSeg(config_of(golden)).eval()
    report = model.load_state_dict(converted(LLM_SEG_RULES, golden.weights()), strict=False)
    assert not report.unexpected_keys
    assert {name.split(".")[0] for name in report.missing_keys} == {"dino"}
    return model


def sequences_of(golden: Any) -> list[TokenSequence]:
    seg = int(golden["in/seg_token_idx"])
    sequences = []
    for row, real in zip(golden["in/input_ids"], golden["in/attention_mask"], strict=True):
        ids = row[real.bool()].tolist()
        image = ids.index(Placeholder.IMAGE)
        after = np.array(ids[image + 1 :])
        condition = np.full(len(after), -1)
        condition[np.flatnonzero(after == seg)[0] - 1] = 0
        sequences.append(TokenSequence(tuple(ids[:image]), after, condition))
    return sequences


@dataclass
class Pass:
    """One forward pass over everything, conversations one by one: their first words differ."""

    pictures: Tensor
    described: list[Tensor]  # (K, D) of each picture
    states: list[Tensor]  # (L, H) of each conversation, picture included
    labels: list[Tensor]
    logits: list[Tensor]
    positions: list[int]
    asked: Tensor
    answered: Answered


def forward(golden: Any, model: HRSeg) -> Pass:
    offset = golden["in/offset"]
    pictures = torch.arange(len(offset) - 1).repeat_interleave(offset.diff())
    side = model.config.grid
    tokens = model.dino_projection(golden["in/dino_tokens"]).unflatten(1, (side, side))
    soft = [golden[f"out/soft_masks_256_{b}"] for b in range(len(tokens))]
    masks, present = model.describe(model.gather(tokens.unsqueeze(1)), soft)
    pixels, sizes = golden["in/images_clip"], torch.zeros(len(tokens), 2)
    seen = Seen(model.llava.picture_tokens(pixels, sizes), masks, present)
    result = Pass(
        pictures, [m[p] for m, p in zip(masks, present, strict=True)], [], [], [], [], *[None] * 2
    )
    asked = []
    for picture, sequence, labels in zip(
        pictures.tolist(), sequences_of(golden), golden["in/labels"], strict=True
    ):
        alone = Seen([seen.tokens[picture]], masks, present)
        read = model.read(alone, [sequence], torch.tensor([0]))
        prefix = alone.prefixes[sequence.prefix].hidden[0]
        result.states.append(torch.cat([prefix, read.hidden[0]]))
        result.positions.append(len(prefix) + int(sequence.condition.argmax()))
        result.logits.append(model.lm_head(read.hidden[0]))
        begin = len(sequence.prefix) + 1
        result.labels.append(labels[begin : begin + len(sequence.ids)])
        asked.append(model.ask(read))
    result.asked = torch.cat(asked)
    result.answered = model.answer(seen, pictures, result.asked)
    return result


@pytest.fixture(scope="module")
def run(golden: Any, model: HRSeg) -> Pass:
    with torch.no_grad():
        return forward(golden, model)


def test_proposals_become_soft_masks(golden: Any) -> None:
    for b, antialias in enumerate(ANTIALIAS):
        proposals = golden[f"in/proposals_{b}"].bool().numpy()
        name = f"out/soft_masks_256_{b}"
        close(golden, name, soft_masks(proposals, golden[name].shape[-1], antialias))


def test_targets(golden: Any) -> None:
    for b in range(len(ANTIALIAS)):
        truth, proposals = (golden[f"in/{n}_{b}"].bool().numpy() for n in ("gt", "proposals"))
        targets = targets_of(truth, proposals)
        close(golden, f"out/gt_iou_{b}", torch.from_numpy(targets.iou), 1e-12)
        close(golden, f"out/gt_iop_{b}", torch.from_numpy(targets.iop), 1e-12)


def test_read(golden: Any, model: HRSeg, run: Pass) -> None:
    assert run.positions == golden["out/seg_position"].tolist()
    for row, states in enumerate(run.states):
        for name, ours in (
            ("llm_last_hidden", states),
            ("text_fc_all", model.text_projection(states)),
        ):
            theirs = golden[f"out/{name}"][row, : len(states)]
            assert (ours - theirs).abs().max() <= 1e-5, f"{name} of conversation {row}"


def test_see(golden: Any, model: HRSeg, run: Pass) -> None:
    conv = model.dino_projection(golden["in/dino_tokens"]).transpose(1, 2)
    close(golden, "out/dino_conv", conv.reshape(golden["out/dino_conv"].shape))
    for b, ours in enumerate(run.described):
        close(golden, f"out/mask_features_{b}", ours, 1e-4)


@torch.no_grad()
def test_pooling_alone(golden: Any) -> None:
    for b, features in enumerate(golden["out/dino_conv"]):
        soft = golden[f"out/soft_masks_256_{b}"]
        pooled = pool_masks(enlarge(features[None], soft.shape[-1])[0], soft)
        close(golden, f"out/mask_features_{b}", pooled, 1e-4)


@torch.no_grad()
def test_fusion(golden: Any, model: HRSeg, run: Pass) -> None:
    close(golden, "out/seg_embedding", run.asked)
    for b in range(len(run.described)):
        rows = run.pictures == b
        text = run.asked[rows].unsqueeze(1)
        masks = run.described[b].expand(len(text), -1, -1)
        nothing = torch.zeros(len(text), 1, masks.shape[1])
        for number, layer in enumerate(model.fusion.layers):
            masks, text = layer(masks, text, nothing)
            close(golden, f"out/layer{number}_masks_{b}", masks)
            close(golden, f"out/layer{number}_text_{b}", text)
        everything = torch.ones(masks.shape[:2], dtype=torch.bool)
        start = run.described[b].expand(len(text), -1, -1)
        fused = model.fusion(start, run.asked[rows], everything)
        close(golden, f"out/fused_{b}", fused)
        close(golden, f"out/mask_embedding_{b}", model.embedding_head(fused))


def test_answer(golden: Any, run: Pass) -> None:
    answered = run.answered
    for b in range(len(run.described)):
        rows, count = run.pictures == b, len(run.described[b])
        close(golden, f"out/iop_{b}", answered.iop[rows, :count].unsqueeze(-1))
        for name in ("similarity", "iop"):
            first = getattr(answered, name)[rows][:1, :count]
            close(golden, f"out/infer_{name}_{b}", first)


def losses(golden: Any, run: Pass) -> dict[str, Tensor]:
    """Total and parts, as training sums them."""
    pad = run.answered.present.shape[1]
    truth = {}
    for name in ("iou", "iop"):
        rows = [
            torch.nn.functional.pad(row, (0, pad - len(row)))
            for b in range(len(run.described))
            for row in golden[f"out/gt_{name}_{b}"]
        ]
        truth[name] = torch.stack(rows)
    each = losses_per_text(run.answered, truth["iou"], truth["iop"], "weighted")
    logits = pad_sequence(run.logits, batch_first=True)
    labels = pad_sequence(run.labels, batch_first=True, padding_value=-100)
    means = {name: picture_mean(values, run.pictures) for name, values in each.items()}
    text = next_token_loss(logits, labels)
    return {**each, "text": text, "means": means, "total": text + sum(means.values())}


NAMES = {"align": "align_loss", "iop": "regression_loss"}


def test_losses(golden: Any, run: Pass) -> None:
    ours = losses(golden, run)
    for name, theirs in NAMES.items():
        for b in range(len(run.described)):
            close(golden, f"out/{theirs}_rounds_{b}", ours[name][run.pictures == b], 1e-4)
        close(golden, f"out/{theirs}", ours["means"][name].reshape(1), 1e-4)
    close(golden, "out/ce_loss", ours["text"].reshape(1))
    close(golden, "out/loss", ours["total"].reshape(1), 1e-4)


def test_gradients(golden: Any, model: HRSeg) -> None:
    model.zero_grad()
    losses(golden, forward(golden, model))["total"].backward()
    parameters = dict(model.named_parameters())
    names = [name for name in golden.tensors if name.startswith("out/grad/")]
    assert names
    for name in names:
        official = golden[name]
        (ours,) = converted(LLM_SEG_RULES, {name.removeprefix("out/grad/"): official})
        grad = parameters[ours].grad
        assert grad is not None
        error = (grad.reshape(official.shape) - official).abs().max()
        assert error <= 1e-5 * max(1.0, float(official.abs().max())), f"{name}: {error:.1e}"


def rule_of(name: str) -> Selection:
    """'top5_and_iop_0.7' and its like."""
    *_, last = name.split("_")
    iop = float(last) if "iop" in name else 0.0
    if name.startswith("iop_gt"):
        return Selection("iop", 0, iop, "nothing")
    if "union" in name:
        return Selection("top1_or_iop", 1, iop, "nothing")
    if "and" in name:
        return Selection("topk_and_iop", int(name.split("_")[0][3:]), iop, "nothing")
    assert name == "top1_sim"
    return Selection("top1_similarity", 1, 0.0, "nothing")


def test_selection(golden: Any) -> None:
    names = sorted({n.split("/")[2] for n in golden.tensors if n.startswith("sel/out/")})
    assert len(names) >= 5
    for name in names:
        meter = MaskIoU(count_epsilon=1e-5)
        for b in range(len(ANTIALIAS)):
            truth = golden[f"sel/in/gt_{b}"][0].numpy()
            scores = [golden[f"sel/in/{kind}_{b}"][0] for kind in ("similarity", "iop")]
            chosen = select(*scores, rule_of(name)).numpy()
            proposals = golden[f"in/proposals_{b}"].bool().numpy()
            union = proposals[chosen].any(0, keepdims=True)
            mask = nearest(union, *truth.shape)
            if f"sel/out/{name}/pred_{b}" in golden.tensors:
                close(golden, f"sel/out/{name}/pred_{b}", torch.from_numpy(mask).byte())
                meter.add(mask[0], truth == 1, truth == 255)
            else:  # this one is measured on squares
                mask, square = (nearest(m, 1024, 1024)[0] for m in (union, truth[None]))
                meter.add(mask, square == 1, square == 255)
        ours = torch.tensor([meter.result().giou, meter.result().ciou], dtype=torch.float64)
        close(golden, f"sel/out/{name}/metrics", ours, 1e-6)


def test_everything(golden: Any) -> None:
    logits, iou = golden["amg/in/logits"], golden["amg/in/iou_preds"]
    height, width = golden["amg/in/size"].tolist()
    grid = point_grid(round(len(logits) ** 0.5)) * torch.tensor([width, height])
    content = longest_side(height, width, SAM_POINTS)
    close(golden, "amg/out/point_prompts", to_input(grid, (height, width), content), 1e-9)
    good = promising(iou).flatten()
    points = grid.repeat_interleave(3, 0)[good]
    stable = keep_stable(logits.flatten(0, 1)[good], iou.flatten()[good], points)
    found = take(stable, suppress_doubles(stable.boxes, stable.iou))
    close(golden, "amg/out/masks", found.masks.byte())
    close(golden, "amg/out/area", found.masks.sum((1, 2)).double(), 0)
    corner, far = found.boxes[:, :2], found.boxes[:, 2:]
    close(golden, "amg/out/bbox_xywh", torch.cat([corner, far - corner], 1).double(), 0)
    close(golden, "amg/out/predicted_iou", found.iou.double(), 1e-6)
    close(golden, "amg/out/stability_score", found.stability.double(), 1e-6)
    close(golden, "amg/out/point_coords", found.points, 1e-9)


def golden_text(golden: Any, name: str) -> str:
    return bytes(golden.tensors[name].tolist()).decode()


def with_seg(rust: RustTokenizer) -> Tokenizer:
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    return Tokenizer(rust)


def test_tokenisation(golden: Any) -> None:
    prompts = json.loads(golden_text(golden, "tok/prompts_json"))
    tokenizer = with_seg(RustTokenizer.from_str(golden_text(golden, "tok/tokenizer_json")))
    assert tokenizer.seg == int(golden["tok/seg_id"])
    ids = [legacy_ids(prompt, tokenizer) for prompt in prompts]
    padded = pad_sequence([torch.tensor(row) for row in ids], batch_first=True)
    close(golden, "tok/input_ids", padded)
    labels = padded.clone()
    for row, prompt in zip(labels, prompts, strict=True):
        asked = prompt[: prompt.index("ASSISTANT:") + len("ASSISTANT:")]
        row[: len(legacy_ids(asked, tokenizer))] = -100
    for row, real in zip(labels, ids, strict=True):
        row[len(real) :] = -100
    close(golden, "tok/labels", labels)


def test_conversations(golden: Any) -> None:
    """Question and answer in, the whole prompt of the authors out."""
    from vlseg_cli.prompts.hrseg import HRSegPrompts

    tokenizer = with_seg(RustTokenizer.from_str(golden_text(golden, "tok/tokenizer_json")))
    prompts = HRSegPrompts(tokenizer, "llava")
    pairs = json.loads(golden_text(golden, "tok/questions_answers_json"))
    for row, (question, answer) in enumerate(pairs):
        lesson = prompts.lesson(question.removeprefix("<image>\n"), answer, question)
        ours = [*lesson.sequence.prefix, Placeholder.IMAGE, *lesson.sequence.ids.tolist()]
        theirs, labels = golden["tok/input_ids"][row], golden["tok/labels"][row]
        assert ours == theirs[: len(ours)].tolist() and not theirs[len(ours) :].any()
        begin = len(lesson.sequence.prefix) + 1
        assert lesson.labels.tolist() == labels[begin : len(ours)].tolist()


def test_tokenizer_model(golden: Any, tmp_path: Any) -> None:
    """The sentencepiece file gives the same tokenizer, but for tokens added later."""
    file = tmp_path / "tokenizer.model"
    file.write_bytes(bytes(golden.tensors["tok/tokenizer_model"].tolist()))
    ours = read_sentencepiece_model(file)
    theirs = RustTokenizer.from_str(golden_text(golden, "tok/tokenizer_json"))
    for prompt in json.loads(golden_text(golden, "tok/prompts_json")):
        for piece in (prompt, "ünïcödé 猫 \n two  spaces", " leading"):
            plain = piece.replace("<im_start>", "").replace("<im_end>", "")
            assert ours.encode(plain).ids == theirs.encode(plain, add_special_tokens=False).ids


def under(golden: Any, stem: str) -> dict[str, Tensor]:
    return {n.removeprefix(stem): golden[n] for n in golden.tensors if n.startswith(stem)}


def test_dinov2(golden: Any) -> None:
    official = under(golden, "dino/w/")
    width, _, patch, _ = official["patch_embed.proj.weight"].shape
    native = patch * round((official["pos_embed"].shape[1] - 1) ** 0.5)
    layers = counted(golden, "dino/w/blocks.")
    dino = DINOv2(width, layers, DINO_HEADS, patch, native).eval()
    dino.load_state_dict(converted(dinov2_rules("", "model."), official), strict=True)
    with torch.no_grad():
        for name in ("native", "interp"):
            tokens = dino(golden[f"dino/in/pixels_{name}"])
            close(golden, f"dino/out/patch_{name}", tokens.flatten(1, 2))


def test_sam(golden: Any) -> None:
    official = under(golden, "sam/w/")
    width, _, patch, _ = official["image_encoder.patch_embed.proj.weight"].shape
    grid = official["image_encoder.pos_embed"].shape[1]
    layers = counted(golden, "sam/w/image_encoder.blocks.")
    relative = [official[f"image_encoder.blocks.{n}.attn.rel_pos_h"] for n in range(layers)]
    reach = [(len(table) + 1) // 2 for table in relative]
    sizes = SAMSizes(
        image=grid * patch,
        patch=patch,
        width=width,
        layers=layers,
        heads=width // relative[0].shape[1],
        window=min(reach),
        whole=tuple(n for n, cells in enumerate(reach) if cells == grid),
        channels=len(official["image_encoder.neck.0.weight"]),
        decoder_feedforward=len(official["mask_decoder.transformer.layers.0.mlp.lin1.weight"]),
        decoder_heads=SAM_DECODER_HEADS,
    )
    sam = SAM(sizes).eval()
    sam.load_state_dict(converted(sam_rules("", "model."), official), strict=True)
    with torch.no_grad():
        features = sam.look(golden["sam/in/pixel_values"])
        close(golden, "sam/out/image_embeddings", features, 1e-4)
        logits, iou = sam.masks_at(features, golden["sam/in/points"][:, 0])
        close(golden, "sam/out/low_res_logits", logits, 1e-4)
        close(golden, "sam/out/iou_predictions", iou, 1e-4)
