"""Every stage of SELF1E against the authors' own code, at whatever sizes the golden file has."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Regex, models, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor

from vlseg_cli.evaluation.metrics.refer import MaskIoU
from vlseg_cli.models.self1e import SELF1E, Seen
from vlseg_cli.models.self1e_answers import to_frame
from vlseg_cli.models.self1e_config import SELF1EConfig
from vlseg_cli.models.self1e_losses import low_masks, mask_losses, soft_target, words_loss
from vlseg_cli.nn.pixel_unshuffle import pixel_unshuffle, self_replicate, stitch
from vlseg_cli.nn.residual_refill import enlarge
from vlseg_cli.nn.two_pathway_mask import two_pathway_mask
from vlseg_cli.prompts.self1e import Conversation, SELF1EPrompts
from vlseg_cli.prompts.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.convert.rules import convert
from vlseg_cli.weights.convert.self1e import SELF1E_RULES
from vlseg_cli.weights.convert.self1e_sizes import self1e_sizes

FEATURES, LOSSES, GRADIENTS = 2e-5, 5e-6, 2e-6  # what other float32 orders may differ by


@pytest.fixture(scope="module")
def model(golden: Any) -> SELF1E:
    official = golden.weights()
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    sizes = self1e_sizes(shapes, golden.config) | {"padding": golden.metadata["token_ids"]["pad"]}
    ours: dict[str, Tensor] = {}
    for name, tensor in official.items():
        converted = convert(SELF1E_RULES, name, tensor)
        assert converted, f"no rule for {name}"
        ours |= converted
    model = SELF1E(SELF1EConfig.from_dict(sizes)).eval()
    model.load_state_dict(ours, strict=True)
    return model


def conversation_of(golden: Any, ids: Tensor, labels: Tensor | None = None) -> Conversation:
    """A row of the file; its padding is cut off, to be padded again."""
    tokens, flat = golden.metadata["token_ids"], ids.numpy()
    flat = flat[: len(np.trim_zeros(flat != tokens["pad"], "b"))]
    spoken = np.zeros(len(flat), bool) if labels is None else labels.numpy()[: len(flat)] != -100
    return Conversation(flat, flat == tokens["<IMG_CONTEXT>"], flat == tokens["[SEG]"], spoken)


@pytest.fixture(scope="module")
def conversations(golden: Any) -> list[Conversation]:
    rows = zip(golden["in/input_ids"], golden["in/labels"], strict=True)
    return [conversation_of(golden, ids, labels) for ids, labels in rows]


@pytest.fixture(scope="module")
def seen(golden: Any, model: SELF1E) -> Seen:
    with torch.no_grad():
        return model.see(golden["in/pixel_values"])


@pytest.fixture(scope="module")
def run(model: SELF1E, seen: Seen, conversations: list[Conversation]) -> SimpleNamespace:
    pictures = torch.arange(len(conversations))
    layers: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, out: layers.append(out))
        for layer in model.internvl.model.language_model.layers
    ]
    with torch.no_grad():
        read = model.read(seen, conversations, pictures)
        asked = model.ask(seen, read)
        answered = model.answer(seen, pictures, asked)
    for hook in hooks:
        hook.remove()
    return SimpleNamespace(read=read, asked=asked, answered=answered, layers=layers)


def agrees(
    golden: Any, name: str, ours: Tensor, tolerance: float = FEATURES, real: Any = None
) -> None:
    """Assert that ``ours`` is output ``name``; real: the places that count, all if None."""
    theirs = golden[f"out/{name}"]
    assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: {ours.shape} != {theirs.shape}"
    if real is not None:
        ours, theirs = ours[real], theirs[real]
    allowed = tolerance if theirs.is_floating_point() else 0.0
    error = float((ours.double() - theirs.double()).abs().max())
    assert error <= allowed, f"{name}: off by {error:.2e}, allowed {allowed:.2e}"


def rows_of(golden: Any) -> list[int]:
    """Numbers of the rows with a mask."""
    return [row for row, kind in enumerate(golden.metadata["rows"]) if kind == "seg"]


def test_prompts(golden: Any, conversations: list[Conversation]) -> None:
    """Our wording and tokens of every recorded prompt, labels included."""
    prompts = SELF1EPrompts(
        toy_tokenizer(golden), "self1e", int(golden.metadata["num_image_token"])
    )
    turn = re.compile(
        r".*<\|im_start\|>user\n<img><IMG_CONTEXT>\*\d+</img>\n(.*)<\|im_end\|>\n"
        r"<\|im_start\|>assistant\n(.*)<\|im_end\|>\n",
        re.DOTALL,
    )
    for text, theirs in zip(golden.metadata["prompts"], conversations, strict=True):
        match = turn.fullmatch(text)
        assert match
        ours = prompts.conversation([(match[1], match[2])])
        for field in ("ids", "image", "seg", "spoken"):
            assert np.array_equal(getattr(ours, field), getattr(theirs, field)), field
        if forced := re.fullmatch(r" What is (.*) in this image\? Please output .*", match[1]):
            assert np.array_equal(prompts.phrase(forced[1]).ids, theirs.ids)


def toy_tokenizer(golden: Any) -> Tokenizer:
    """The file's word table, in which blanks stand before words as in Qwen's pieces."""
    vocabulary = dict(golden.metadata["vocab"])
    special = {k: v for k, v in golden.metadata["token_ids"].items() if k != "pad"}
    beyond = {f"<{n}>": n for n in range(max(special.values())) if n not in vocabulary.values()}
    table = {k: v for k, v in beyond.items() if v not in special.values()} | vocabulary | special
    rust = RustTokenizer(models.WordLevel(table, unk_token="!"))
    longest_first = sorted(vocabulary, key=len, reverse=True)
    rust.pre_tokenizer = pre_tokenizers.Split(
        Regex("|".join(re.escape(piece) for piece in longest_first)), "isolated"
    )
    rust.add_special_tokens([AddedToken(m, special=True) for m in special if m != SEG])
    rust.add_tokens([AddedToken(SEG, special=False, normalized=False)])
    return Tokenizer(rust)


def test_see(golden: Any, model: SELF1E, seen: Seen) -> None:
    internvl, pixels = model.internvl.model, golden["in/pixel_values"]
    with torch.no_grad():
        agrees(golden, "vit_embeddings", internvl.vision_tower.embeddings(pixels))
        hidden = internvl.vision_tower(pixels).last_hidden_state
        agrees(golden, "vit_last_hidden", hidden)
        patches = hidden[:, 1:]
        side = round(patches.shape[1] ** 0.5)
        packed = internvl.pixel_shuffle(patches.unflatten(1, (side, side)), 0.5)
        agrees(golden, "vit_shuffled", packed.flatten(1, 2))
        agrees(golden, "vit_replicated", self_replicate(patches))
        unpacked = internvl.multi_modal_projector(self_replicate(patches))
        fine = stitch(model.refill.restore(unpacked), (1, 1))
    agrees(golden, "vit_embeds", seen.tokens)
    agrees(golden, "ori_vit_embeds", unpacked)
    for row in rows_of(golden):
        agrees(golden, f"row{row}/rfa_vit_proj", seen.restored[row].flatten(0, 1))
        agrees(golden, f"row{row}/ori_proj", fine[row])
        agrees(golden, f"row{row}/ori_unshuffled", seen.fine[row])


def test_mask(golden: Any, run: SimpleNamespace) -> None:
    rows = run.read.rows
    allowed = two_pathway_mask(rows.image, rows.seg, rows.padding)
    assert allowed.equal(golden["in/attention_mask_4d"] == 0)
    assert rows.ids.equal(golden["in/input_ids"])
    assert rows.positions.equal(golden["in/position_ids"])
    assert (~rows.padding).equal(golden["in/padding_mask"].bool())


def test_read(golden: Any, model: SELF1E, run: SimpleNamespace) -> None:
    real = golden["in/padding_mask"].bool()
    agrees(golden, "inputs_embeds", run.read.embeds, real=real)
    for number, layer in enumerate(run.layers):
        agrees(golden, f"llm_layer{number}", layer, real=real)
    agrees(golden, "llm_last_hidden", run.read.hidden, real=real)
    with torch.no_grad():
        agrees(golden, "logits", model.internvl.lm_head(run.read.hidden), real=real)


def test_ask(golden: Any, model: SELF1E, seen: Seen, run: SimpleNamespace) -> None:
    assert run.asked.owner.tolist() == rows_of(golden)
    for number, row in enumerate(rows_of(golden)):
        hidden, rows = run.read.hidden[row], run.read.rows
        agrees(golden, f"row{row}/llm_image_hidden", hidden[rows.image[row]])
        place = rows.seg[row].nonzero()[:, 0] - 1
        agrees(golden, f"row{row}/seg_read_pos", place)
        agrees(golden, f"row{row}/llm_seg_hidden", hidden[place])
        amplified = run.asked.amplified[row]
        agrees(golden, f"row{row}/rfa_llm_proj", amplified.flatten(0, 1))
        agrees(golden, f"row{row}/low_llm_features", pixel_unshuffle(amplified[None])[0])
        with torch.no_grad():
            agrees(golden, f"row{row}/seg_proj", model.refill.amplify(hidden[place]))
            mean = model.refill.amplify(hidden[place]).unflatten(1, (4, -1)).mean(1)
        agrees(golden, f"row{row}/seg_mean", mean)
        agrees(golden, f"row{row}/seg_embedding", run.asked.queries[number : number + 1])


def test_answer(golden: Any, model: SELF1E, seen: Seen, run: SimpleNamespace) -> None:
    refill, low = model.refill, low_masks(run.asked)
    for number, row in enumerate(rows_of(golden)):
        amplified, restored = run.asked.amplified[row : row + 1], seen.restored[row : row + 1]
        agrees(golden, f"row{row}/rfa_residual", (amplified - restored)[0])
        residual = refill.residual(amplified, restored)
        agrees(golden, f"row{row}/rfa_residual_unshuffled", residual[0])
        fine = seen.fine[row : row + 1]
        agrees(golden, f"row{row}/rfa_residual_upsampled", enlarge(residual, fine.shape[1:3])[0])
        refilled = refill.refill(fine, residual)
        agrees(golden, f"row{row}/refilled", refilled[0])
        with torch.no_grad():
            agrees(golden, f"row{row}/pixel_features", refill.describe(refilled)[0])
        one = slice(number, number + 1)
        agrees(golden, f"row{row}/mask_logits", run.answered.pred_masks[one])
        agrees(golden, f"row{row}/low_mask_logits", low[one])


def test_masks_and_metric(golden: Any, run: SimpleNamespace) -> None:
    meter = MaskIoU()
    for number, row in enumerate(rows_of(golden)):
        truth = golden[f"in/gt_mask_{row}"]
        full = to_frame(run.answered.pred_masks[number : number + 1], truth.shape[-2:])
        agrees(golden, f"row{row}/mask_logits_full", full)
        agrees(golden, f"row{row}/mask_pred", (full > 0).to(torch.uint8))
        ours, theirs = (full[0] > 0).numpy(), truth[0].bool().numpy()
        score = meter.add(ours, theirs)
        background = (~ours & ~theirs).sum(), (~ours | ~theirs).sum()
        for name, counts in (
            ("intersection", (background[0], score.intersection)),
            ("union", (background[1], score.union)),
        ):
            assert golden[f"out/metric_{name}"][number].tolist() == list(counts)
    result = meter.result()
    assert result.giou == pytest.approx(float(golden["out/metric_giou"]), abs=1e-6)
    assert result.ciou == pytest.approx(float(golden["out/metric_ciou"]), abs=1e-6)


def test_losses_and_gradients(
    golden: Any, model: SELF1E, conversations: list[Conversation]
) -> None:
    model.train()
    pictures = torch.arange(len(conversations))
    seen = model.see(golden["in/pixel_values"])
    read = model.read(seen, conversations, pictures)
    asked = model.ask(seen, read)
    answered = model.answer(seen, pictures, asked)
    targets = [
        soft_target(golden[f"in/gt_mask_{row}"]) if kind == "seg" else torch.zeros(0, 1, 1)
        for row, kind in enumerate(golden.metadata["rows"])
    ]
    assert read.rows.spoken.equal(golden["in/labels"] != -100)
    ce = words_loss(model, read)
    masks = mask_losses(answered.pred_masks, low_masks(asked), targets)
    weights = golden.metadata["loss_weights"]
    mask = weights["bce"] * masks.bce + weights["dice"] * masks.dice
    total = weights["ce"] * ce + mask
    named = {"ce_loss": ce, "mask_bce_loss": masks.bce, "mask_dice_loss": masks.dice}
    for name, loss in (named | {"mask_loss": mask, "loss": total}).items():
        agrees(golden, name, loss.detach().reshape(1), LOSSES)
    model.zero_grad()
    total.backward()
    ours = dict(model.named_parameters())
    recorded = [name.removeprefix("out/grad/") for name in golden.tensors if "out/grad/" in name]
    assert recorded
    for name in recorded:
        for part in convert(SELF1E_RULES, name, golden[f"out/grad/{name}"]).items():
            error = float((ours[part[0]].grad - part[1]).abs().max())
            assert error <= GRADIENTS, f"gradient of {name}: off by {error:.2e}"
    model.eval()


def test_tiles(golden: Any, model: SELF1E) -> None:
    columns, rows = golden.metadata["tiles"]["target_aspect_ratio_cols_rows"]
    conversation = conversation_of(golden, golden["in/tiles/input_ids"][0])
    with torch.no_grad():
        seen = model.see(golden["in/tiles/pixel_values"], (rows, columns))
        read = model.read(seen, [conversation], torch.tensor([0]))
        asked = model.ask(seen, read)
        answered = model.answer(seen, torch.tensor([0]), asked)
    mask = two_pathway_mask(read.rows.image, read.rows.seg, read.rows.padding)
    assert mask.equal(golden["in/tiles/attention_mask_4d"] == 0)
    assert read.rows.positions.equal(golden["in/tiles/position_ids"])
    agrees(golden, "tiles/mask_logits", answered.pred_masks)


def test_generation(golden: Any, model: SELF1E) -> None:
    stated = golden.metadata["generate"]
    with torch.no_grad():
        seen = model.see(golden["in/vqa/pixel_values"])
        ids = model.generate(
            seen,
            [conversation_of(golden, ids) for ids in golden["in/vqa/input_ids"]],
            torch.arange(len(seen)),
            golden.metadata["token_ids"][stated["eos"]],
            stated["max_new_tokens"],
            stated["min_new_tokens"],
        )
    agrees(golden, "vqa/generated_ids", ids)


def test_nothing_recorded_is_left_out(golden: Any, run: SimpleNamespace) -> None:
    """Every output of the file is one that the tests above compare."""
    whole = "vit_embeddings vit_last_hidden vit_shuffled vit_replicated vit_embeds ori_vit_embeds"
    whole += (
        " inputs_embeds llm_last_hidden logits tiles/mask_logits vqa/generated_ids loss ce_loss"
    )
    whole += " mask_bce_loss mask_dice_loss mask_loss metric_intersection metric_union metric_giou"
    each = "llm_image_hidden llm_seg_hidden seg_read_pos rfa_llm_proj rfa_vit_proj rfa_residual"
    each += " rfa_residual_unshuffled rfa_residual_upsampled ori_proj ori_unshuffled refilled"
    each += " pixel_features seg_proj seg_mean seg_embedding mask_logits mask_logits_full mask_pred"
    each += " low_llm_features low_mask_logits"
    known = {*whole.split(), "metric_ciou", *(f"llm_layer{n}" for n in range(len(run.layers)))}
    known |= {f"row{row}/{name}" for row in rows_of(golden) for name in each.split()}
    recorded = {name[4:] for name in golden.tensors if name.startswith("out/")}
    assert {name for name in recorded if not name.startswith("grad/")} == known
