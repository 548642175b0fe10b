"""Every stage of SELF1E against the authors' own code, at whatever sizes the golden file has.

Its files record no spread; how far another float32 order may lead is told here, for each kind.
"""

import re
from collections.abc import Callable

import numpy as np
import torch
from parity.golden import Golden
from parity.self1e_golden import SELF1EGolden, conversation_of, golden_tokenizer
from parity.self1e_training import losses_and_gradients
from torch import Tensor

from vlseg_cli.models.self1e.criterion import low_masks
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

_FEATURES, _SCORES, _COUNTS = 2e-5, 1e-6, 0.0  # absolute
_TURN = re.compile(
    r".*<\|im_start\|>user\n<img><IMG_CONTEXT>\*\d+</img>\n(.*)<\|im_end\|>\n"
    r"<\|im_start\|>assistant\n(.*)<\|im_end\|>\n",
    re.DOTALL,
)
_FORCED = re.compile(r" What is (.*) in this image\? Please output .*")


def self1e_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Words, the four steps, masks and what they score, training, tiles and speech; each raises
    WeightsError."""
    parity = _SELF1EParity(golden)
    return {
        "prompts": parity.prompts,
        "see": parity.see,
        "rows": parity.rows,
        "read": parity.read,
        "ask": parity.ask,
        "answer": parity.answer,
        "segments": parity.segments,
        "scores": parity.scores,
        "losses and gradients": lambda: losses_and_gradients(parity.recorded),
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
        """Our wording and tokens of every recorded prompt, labels included."""
        golden, image_tokens = self.golden, int(self.golden.metadata["num_image_token"])
        prompts = SELF1EPrompts(golden_tokenizer(golden), "self1e", image_tokens)
        conversations = self.recorded.conversations
        for text, theirs in zip(golden.metadata["prompts"], conversations, strict=True):
            turn = _TURN.fullmatch(text)
            if turn is None:
                raise WeightsError(f"{golden.path.name}: no question and answer in {text!r}")
            question, answer = turn.groups()
            ours = prompts.conversation([(question, answer)])
            for field in ("ids", "image", "seg", "spoken"):
                same = np.array_equal(getattr(ours, field), getattr(theirs, field))
                golden.require(same, f"our {field} of {question!r} differ")
            if forced := _FORCED.fullmatch(question):
                same = np.array_equal(prompts.phrase(forced[1]).ids, theirs.ids)
                golden.require(same, f"our phrase {forced[1]!r} differs")

    def see(self) -> None:
        """The tower, tokens packed and unpacked, and what is refilled later."""
        internvl, seen = self.model.internvl.model, self.recorded.seen
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
        self._agrees("vit_embeds", seen.tokens)
        self._agrees("ori_vit_embeds", unpacked)
        for row in self.recorded.masked:
            self._agrees(f"row{row}/rfa_vit_proj", seen.restored[row].flatten(0, 1))
            self._agrees(f"row{row}/ori_proj", fine[row])
            self._agrees(f"row{row}/ori_unshuffled", seen.fine[row])

    def rows(self) -> None:
        """What goes into the language model beside embeddings, padding included."""
        golden, rows = self.golden, self.recorded.ran.read.rows
        allowed = two_pathway_mask(rows.image, rows.seg, rows.padding)
        same = {
            "attention_mask_4d": allowed.equal(golden["in/attention_mask_4d"] == 0),
            "input_ids": rows.ids.equal(golden["in/input_ids"]),
            "position_ids": rows.positions.equal(golden["in/position_ids"]),
            "padding_mask": (~rows.padding).equal(golden["in/padding_mask"].bool()),
            "labels": rows.spoken.equal(golden["in/labels"] != -100),
        }
        for name, holds in same.items():
            golden.require(holds, f"our {name} differ")

    def read(self) -> None:
        """Each layer of the language model; padding may hold anything."""
        golden, ran = self.golden, self.recorded.ran
        real = golden["in/padding_mask"].bool()
        with torch.no_grad():
            logits = self.model.internvl.lm_head(ran.read.hidden)
        layers = {f"llm_layer{number}": layer for number, layer in enumerate(ran.layers)}
        whole = {"inputs_embeds": ran.read.embeds, "llm_last_hidden": ran.read.hidden}
        for name, ours in (whole | layers | {"logits": logits}).items():
            golden.agrees(name, ours[real], _FEATURES, lambda theirs: theirs[real])

    def ask(self) -> None:
        """Image tokens as they were read, and the query of each mask."""
        ran, refill = self.recorded.ran, self.model.refill
        masked, rows = self.recorded.masked, ran.read.rows
        one_each = ran.asked.owner.tolist() == masked
        self.golden.require(one_each, "our queries are not one for each row with a mask")
        for number, row in enumerate(masked):
            hidden, place = ran.read.hidden[row], rows.seg[row].nonzero()[:, 0] - 1
            self._agrees(f"row{row}/llm_image_hidden", hidden[rows.image[row]])
            self._agrees(f"row{row}/seg_read_pos", place)
            self._agrees(f"row{row}/llm_seg_hidden", hidden[place])
            amplified = ran.asked.amplified[row]
            self._agrees(f"row{row}/rfa_llm_proj", amplified.flatten(0, 1))
            self._agrees(f"row{row}/low_llm_features", pixel_unshuffle(amplified[None])[0])
            with torch.no_grad():
                projected = refill.amplify(hidden[place])
            self._agrees(f"row{row}/seg_proj", projected)
            self._agrees(f"row{row}/seg_mean", projected.unflatten(1, (4, -1)).mean(1))
            self._agrees(f"row{row}/seg_embedding", ran.asked.queries[number : number + 1])

    def answer(self) -> None:
        """The residual, refilled into the pixels, against the queries."""
        refill, seen, ran = self.model.refill, self.recorded.seen, self.recorded.ran
        low = low_masks(ran.asked)
        for number, row in enumerate(self.recorded.masked):
            one, picture = slice(number, number + 1), slice(row, row + 1)
            amplified, restored = ran.asked.amplified[picture], seen.restored[picture]
            self._agrees(f"row{row}/rfa_residual", (amplified - restored)[0])
            residual = refill.residual(amplified, restored)
            self._agrees(f"row{row}/rfa_residual_unshuffled", residual[0])
            fine = seen.fine[picture]
            enlarged = upsample_map(residual, fine.shape[1:3])
            self._agrees(f"row{row}/rfa_residual_upsampled", enlarged[0])
            refilled = fine + enlarged
            self._agrees(f"row{row}/refilled", refilled[0])
            with torch.no_grad():
                self._agrees(f"row{row}/pixel_features", refill.describe(refilled)[0])
            self._agrees(f"row{row}/mask_logits", ran.answered.pred_masks[one])
            self._agrees(f"row{row}/low_mask_logits", low[one])

    def segments(self) -> None:
        """Masks at the picture's own size."""
        for number, row in enumerate(self.recorded.masked):
            full = self._full(number, row)
            self._agrees(f"row{row}/mask_logits_full", full)
            self._agrees(f"row{row}/mask_pred", (full > 0).to(torch.uint8))

    def scores(self) -> None:
        """Pixels of background and object that our masks share with the truth: gIoU and cIoU."""
        both, either = [], []
        for number, row in enumerate(self.recorded.masked):
            ours, truth = self._full(number, row) > 0, self.golden[f"in/gt_mask_{row}"].bool()
            both.append(torch.stack([(~ours & ~truth).sum(), (ours & truth).sum()]))
            either.append(torch.stack([(~ours | ~truth).sum(), (ours | truth).sum()]))
        shared, union = torch.stack(both), torch.stack(either)
        self.golden.agrees("metric_intersection", shared, _COUNTS)
        self.golden.agrees("metric_union", union, _COUNTS)
        of_objects, over = shared[:, 1].double(), union[:, 1].double()
        iou = torch.where(over > 0, of_objects / (over + 1e-5), 1.0)  # LISA's validate
        self.golden.agrees("metric_giou", iou.mean().reshape(1), _SCORES)
        ciou = of_objects.sum() / (over.sum() + 1e-10)
        self.golden.agrees("metric_ciou", ciou.reshape(1), _SCORES)

    def tiles(self) -> None:
        """A picture in several tiles."""
        golden, model = self.golden, self.model
        columns, rows = golden.metadata["tiles"]["target_aspect_ratio_cols_rows"]
        conversation = conversation_of(golden, golden["in/tiles/input_ids"][0])
        first = torch.tensor([0])
        with torch.no_grad():
            seen = model.encode_image(golden["in/tiles/pixel_values"], (rows, columns))
            read = model.run_language_model(seen, [conversation], first)
            answered = model.decode_masks(seen, first, model.build_queries(seen, read))
        allowed = two_pathway_mask(read.rows.image, read.rows.seg, read.rows.padding)
        seen_alike = allowed.equal(golden["in/tiles/attention_mask_4d"] == 0)
        golden.require(seen_alike, "our tiles/attention_mask_4d differ")
        placed_alike = read.rows.positions.equal(golden["in/tiles/position_ids"])
        golden.require(placed_alike, "our tiles/position_ids differ")
        self._agrees("tiles/mask_logits", answered.pred_masks)

    def chat(self) -> None:
        """Words, spoken greedily."""
        golden, stated = self.golden, self.golden.metadata["generate"]
        with torch.no_grad():
            seen = self.model.encode_image(golden["in/vqa/pixel_values"])
            ids = self.model.generate(
                seen,
                [conversation_of(golden, ids) for ids in golden["in/vqa/input_ids"]],
                torch.arange(len(seen)),
                golden.metadata["token_ids"][stated["eos"]],
                stated["max_new_tokens"],
                stated["min_new_tokens"],
            )
        self._agrees("vqa/generated_ids", ids)

    def _full(self, number: int, row: int) -> Tensor:
        """Logits of a mask at its picture's size, (1, H, W)."""
        size = self.golden[f"in/gt_mask_{row}"].shape[-2:]
        return to_frame(self.recorded.ran.answered.pred_masks[number : number + 1], size)
