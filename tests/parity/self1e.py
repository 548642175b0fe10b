"""Every stage of SELF1E against the authors' own code, at the sizes of the golden file.

Its files record no rounding spread, so the tolerance of each kind of value is stated here.
"""

import re
from collections.abc import Callable, Mapping

import numpy as np
import torch
from parity.golden import Golden
from parity.self1e_golden import SELF1EGolden, conversation_of, golden_tokenizer
from torch import Tensor

from vlseg_cli.models.self1e.conversion import SELF1E_RULES
from vlseg_cli.models.self1e.criterion import language_loss, low_masks, mask_losses, soft_targets
from vlseg_cli.models.self1e.postprocessing import to_frame
from vlseg_cli.models.self1e.prompts import SELF1EPrompts
from vlseg_cli.nn.residual_refill import (
    pixel_unshuffle,
    self_replicate,
    stitch_tiles,
    two_pathway_mask,
    upsample_map,
)
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.rules import convert

# Relative to the largest magnitude; what another order of float32 operations may change.
_FEATURES, _LOSSES, _GRADIENTS, _METRICS = 2e-5, 5e-6, 2e-6, 1e-6
_TURN = re.compile(
    r".*<\|im_start\|>user\n<img><IMG_CONTEXT>\*\d+</img>\n(.*)<\|im_end\|>\n"
    r"<\|im_start\|>assistant\n(.*)<\|im_end\|>\n",
    re.DOTALL,
)
_FORCED = re.compile(r" What is (.*) in this image\? Please output .*")


def self1e_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Prompts, the four steps, masks and their metrics, training, tiles and generated text."""
    parity = _SELF1EParity(golden)
    return {
        "prompts": parity.prompts,
        "encode_image": parity.encode_image,
        "token rows": parity.token_rows,
        "run_language_model": parity.run_language_model,
        "build_queries": parity.build_queries,
        "decode_masks": parity.decode_masks,
        "segments": parity.segments,
        "metrics": parity.metrics,
        "losses": lambda: _losses_and_gradients(parity.recorded),
        "tiles": parity.tiles,
        "chat": parity.chat,
    }


class _SELF1EParity:
    def __init__(self, golden: Golden) -> None:
        self.golden, self.recorded = golden, SELF1EGolden(golden)
        self.model = self.recorded.model

    def _agrees(self, name: str, ours: Tensor) -> None:
        self.golden.agrees(name, ours, _FEATURES)

    def prompts(self) -> None:
        """Our text and tokens of every recorded prompt, labels included."""
        golden, image_tokens = self.golden, int(self.golden.metadata["num_image_token"])
        prompts = SELF1EPrompts(golden_tokenizer(golden), "self1e", image_tokens)
        conversations = self.recorded.conversations
        for text, theirs in zip(golden.metadata["prompts"], conversations, strict=True):
            turn = _TURN.fullmatch(text)
            if turn is None:
                raise WeightsError(f"{golden.path.name}: no question and answer in {text!r}")
            question, answer = turn.groups()
            ours = prompts.conversation([(question, answer)])
            for field in ("ids", "image", "seg", "answer"):
                same = np.array_equal(getattr(ours, field), getattr(theirs, field))
                golden.require(same, f"our {field} of {question!r} differ")
            if forced := _FORCED.fullmatch(question):
                same = np.array_equal(prompts.phrase(forced[1]).ids, theirs.ids)
                golden.require(same, f"our phrase {forced[1]!r} differs")

    def encode_image(self) -> None:
        """The vision encoder, packed and replicated tokens, and the fine features."""
        internvl, features = self.model.internvl.model, self.recorded.features
        pixels = self.golden["in/pixel_values"]
        with torch.no_grad():
            self._agrees("vit_embeddings", internvl.vision_tower.embeddings(pixels))
            hidden = internvl.vision_tower(pixels).last_hidden_state
            patches = hidden[:, 1:]
            side = round(patches.shape[1] ** 0.5)
            packed = internvl.pixel_shuffle(patches.unflatten(1, (side, side)), 0.5)
            unpacked = internvl.multi_modal_projector(self_replicate(patches))
            fine = stitch_tiles(self.model.refill.restore(unpacked), (1, 1))
        self._agrees("vit_last_hidden", hidden)
        self._agrees("vit_shuffled", packed.flatten(1, 2))
        self._agrees("vit_replicated", self_replicate(patches))
        self._agrees("vit_embeds", features.tokens)
        self._agrees("ori_vit_embeds", unpacked)
        for row in self.recorded.masked:
            self._agrees(f"row{row}/rfa_vit_proj", features.restored[row].flatten(0, 1))
            self._agrees(f"row{row}/ori_proj", fine[row])
            self._agrees(f"row{row}/ori_unshuffled", features.fine[row])

    def token_rows(self) -> None:
        """Inputs of the language model beside embeddings, padding included."""
        golden, rows = self.golden, self.recorded.ran.language_output.inputs
        allowed = two_pathway_mask(rows.image, rows.seg, rows.padding)
        same = {
            "attention_mask_4d": allowed.equal(golden["in/attention_mask_4d"] == 0),
            "input_ids": rows.ids.equal(golden["in/input_ids"]),
            "position_ids": rows.positions.equal(golden["in/position_ids"]),
            "padding_mask": (~rows.padding).equal(golden["in/padding_mask"].bool()),
            "labels": rows.answer.equal(golden["in/labels"] != -100),
        }
        for name, holds in same.items():
            golden.require(holds, f"our {name} differ")

    def run_language_model(self) -> None:
        """Each layer of the language model, without padding."""
        golden, ran = self.golden, self.recorded.ran
        real = golden["in/padding_mask"].bool()
        with torch.no_grad():
            logits = self.model.internvl.lm_head(ran.language_output.hidden)
        layers = {f"llm_layer{number}": layer for number, layer in enumerate(ran.layers)}
        whole = {
            "inputs_embeds": ran.language_output.embeds,
            "llm_last_hidden": ran.language_output.hidden,
        }
        for name, ours in (whole | layers | {"logits": logits}).items():
            golden.agrees(name, ours[real], _FEATURES, lambda theirs: theirs[real])

    def build_queries(self) -> None:
        """Hidden states of image tokens, and the query of each mask."""
        ran, refill = self.recorded.ran, self.model.refill
        masked, rows = self.recorded.masked, ran.language_output.inputs
        one_each = ran.queries.owner.tolist() == masked
        self.golden.require(one_each, "our queries are not one for each row with a mask")
        for number, row in enumerate(masked):
            hidden, position = ran.language_output.hidden[row], rows.seg[row].nonzero()[:, 0] - 1
            self._agrees(f"row{row}/llm_image_hidden", hidden[rows.image[row]])
            self._agrees(f"row{row}/seg_read_pos", position)
            self._agrees(f"row{row}/llm_seg_hidden", hidden[position])
            amplified = ran.queries.amplified[row]
            self._agrees(f"row{row}/rfa_llm_proj", amplified.flatten(0, 1))
            self._agrees(f"row{row}/low_llm_features", pixel_unshuffle(amplified[None])[0])
            with torch.no_grad():
                projected = refill.amplify(hidden[position])
            self._agrees(f"row{row}/seg_proj", projected)
            self._agrees(f"row{row}/seg_mean", projected.unflatten(1, (4, -1)).mean(1))
            self._agrees(f"row{row}/seg_embedding", ran.queries.queries[number : number + 1])

    def decode_masks(self) -> None:
        """The residual, refilled into the pixels, against the queries."""
        refill, features, ran = (
            self.model.refill,
            self.recorded.features,
            self.recorded.ran,
        )
        low = low_masks(ran.queries)
        for number, row in enumerate(self.recorded.masked):
            one, image = slice(number, number + 1), slice(row, row + 1)
            amplified, restored = ran.queries.amplified[image], features.restored[image]
            self._agrees(f"row{row}/rfa_residual", (amplified - restored)[0])
            residual = refill.residual(amplified, restored)
            self._agrees(f"row{row}/rfa_residual_unshuffled", residual[0])
            fine = features.fine[image]
            enlarged = upsample_map(residual, fine.shape[1:3])
            self._agrees(f"row{row}/rfa_residual_upsampled", enlarged[0])
            refilled = fine + enlarged
            self._agrees(f"row{row}/refilled", refilled[0])
            with torch.no_grad():
                self._agrees(f"row{row}/pixel_features", refill.describe(refilled)[0])
            self._agrees(f"row{row}/mask_logits", ran.mask_output.pred_masks[one])
            self._agrees(f"row{row}/low_mask_logits", low[one])

    def segments(self) -> None:
        """Masks at the image's original size."""
        for number, row in enumerate(self.recorded.masked):
            full = self._full(number, row)
            self._agrees(f"row{row}/mask_logits_full", full)
            self._agrees(f"row{row}/mask_pred", (full > 0).to(torch.uint8))

    def metrics(self) -> None:
        """Intersection and union of background and object, gIoU and cIoU."""
        both, either = [], []
        for number, row in enumerate(self.recorded.masked):
            ours, truth = self._full(number, row) > 0, self.golden[f"in/gt_mask_{row}"].bool()
            both.append(torch.stack([(~ours & ~truth).sum(), (ours & truth).sum()]))
            either.append(torch.stack([(~ours | ~truth).sum(), (ours | truth).sum()]))
        shared, union = torch.stack(both), torch.stack(either)
        self.golden.agrees("metric_intersection", shared, 0.0)
        self.golden.agrees("metric_union", union, 0.0)
        of_objects, over = shared[:, 1].double(), union[:, 1].double()
        iou = torch.where(over > 0, of_objects / (over + 1e-5), 1.0)  # LISA's validate
        self.golden.agrees("metric_giou", iou.mean().reshape(1), _METRICS)
        ciou = of_objects.sum() / (over.sum() + 1e-10)
        self.golden.agrees("metric_ciou", ciou.reshape(1), _METRICS)

    def tiles(self) -> None:
        """An image in several tiles."""
        golden, model = self.golden, self.model
        columns, rows = golden.metadata["tiles"]["target_aspect_ratio_cols_rows"]
        conversation = conversation_of(golden, golden["in/tiles/input_ids"][0])
        first = torch.tensor([0])
        with torch.no_grad():
            features = model.encode_image(golden["in/tiles/pixel_values"], (rows, columns))
            language_output = model.run_language_model(features, [conversation], first)
            mask_output = model.decode_masks(
                features, first, model.build_queries(features, language_output)
            )
        allowed = two_pathway_mask(
            language_output.inputs.image, language_output.inputs.seg, language_output.inputs.padding
        )
        seen_alike = allowed.equal(golden["in/tiles/attention_mask_4d"] == 0)
        golden.require(seen_alike, "our tiles/attention_mask_4d differ")
        placed_alike = language_output.inputs.positions.equal(golden["in/tiles/position_ids"])
        golden.require(placed_alike, "our tiles/position_ids differ")
        self._agrees("tiles/mask_logits", mask_output.pred_masks)

    def chat(self) -> None:
        """Greedy decoding."""
        golden, stated = self.golden, self.golden.metadata["generate"]
        with torch.no_grad():
            features = self.model.encode_image(golden["in/vqa/pixel_values"])
            ids = self.model.generate(
                features,
                [conversation_of(golden, ids) for ids in golden["in/vqa/input_ids"]],
                torch.arange(len(features)),
                end=golden.metadata["token_ids"][stated["eos"]],
                max_tokens=stated["max_new_tokens"],
                min_tokens=stated["min_new_tokens"],
            )
        self._agrees("vqa/generated_ids", ids)

    def _full(self, number: int, row: int) -> Tensor:
        """Logits of a mask at its image's size, (1, H, W)."""
        size = self.golden[f"in/gt_mask_{row}"].shape[-2:]
        return to_frame(self.recorded.ran.mask_output.pred_masks[number : number + 1], size)


def _losses_and_gradients(parity: SELF1EGolden) -> None:
    """Each part of the loss over all rows, the total, and its gradients.

    A gradient is recorded under its official name and converted as that weight is.
    """
    golden, model = parity.golden, parity.model
    model.train()
    model.zero_grad()
    total = _losses(parity)
    total.backward()  # type: ignore[no-untyped-call]
    ours = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    names = [name[9:] for name in golden.tensors if name.startswith("out/grad/")]
    golden.require(bool(names), "no gradient is recorded")
    for name in names:
        _agrees_in_gradient(golden, name, ours)
    model.eval()


def _losses(parity: SELF1EGolden) -> Tensor:
    golden, model = parity.golden, parity.model
    image_index = torch.arange(len(parity.conversations))
    features = model.encode_image(golden["in/pixel_values"])
    language_output = model.run_language_model(features, parity.conversations, image_index)
    queries = model.build_queries(features, language_output)
    mask_output = model.decode_masks(features, image_index, queries)
    targets = [
        soft_targets(golden[f"in/gt_mask_{row}"]) if kind == "seg" else torch.zeros(0, 1, 1)
        for row, kind in enumerate(golden.metadata["rows"])
    ]
    words = language_loss(model, language_output)
    masks = mask_losses(mask_output.pred_masks, low_masks(queries), targets)
    weights = golden.metadata["loss_weights"]
    mask = weights["bce"] * masks.bce + weights["dice"] * masks.dice
    total: Tensor = weights["ce"] * words + mask
    losses = {"ce_loss": words, "mask_bce_loss": masks.bce, "mask_dice_loss": masks.dice}
    for name, loss in (losses | {"mask_loss": mask, "loss": total}).items():
        golden.agrees(name, loss.detach().reshape(1), _LOSSES)
    return total


def _agrees_in_gradient(golden: Golden, name: str, ours: Mapping[str, Tensor]) -> None:
    """A gradient is converted as its weight is; what that splits is joined again."""
    parts = list(convert(SELF1E_RULES, name, golden[f"out/grad/{name}"]))
    golden.require(bool(parts) and ours.keys() >= {*parts}, f"ours has no gradient of {name}")

    def joined(theirs: Tensor) -> Tensor:
        converted = convert(SELF1E_RULES, name, theirs)
        return torch.cat([converted[part].flatten() for part in parts])

    own = torch.cat([ours[part].flatten() for part in parts])
    golden.agrees(f"grad/{name}", own, _GRADIENTS, joined)
