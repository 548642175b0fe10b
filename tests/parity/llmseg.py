"""Every stage of LLM-Seg against the authors' own code: an HRSeg with both additions off.

At the sizes of the golden file. ``llmseg_components.py`` has encoders, selection and tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from parity.golden import Golden
from parity.llmseg_components import choosing_stages, encoder_stages, words_stages
from parity.llmseg_golden import (
    POOLED,
    ROUNDING,
    golden_model,
    image_range,
    owners_of,
    sequences_of,
)
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from vlseg_cli.models.hrseg.conversion import LLM_SEG_RULES
from vlseg_cli.models.hrseg.criterion import losses_per_text, mean_per_image
from vlseg_cli.models.hrseg.modeling import HRSegFeatures, HRSegMaskOutput
from vlseg_cli.models.hrseg.prompts import IGNORED
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.pooling import pool_masks, upsample
from vlseg_cli.weights.conversion.rules import convert

_LOSSES = {"align": "align_loss", "iop": "regression_loss"}  # ours to theirs
_GRADIENTS = "out/grad/"


def llmseg_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """From proposals to gradients, then the components that are recorded alone."""
    parity = _LLMSegParity(golden)
    return {
        "encode_image": parity.encode_image,
        "pooling": parity.pooling,
        "run_language_model": parity.run_language_model,
        "build_queries": parity.build_queries,
        "fusion": parity.fusion,
        "decode_masks": parity.decode_masks,
        "losses": parity.losses,
        "gradients": parity.gradients,
        **choosing_stages(golden),
        **encoder_stages(golden),
        **words_stages(golden),
    }


@dataclass(frozen=True, slots=True)
class _Pass:
    """One forward pass over P conversations about B images.

    described: (M, D) of each image; states (L, D) of each conversation; logits (L, V) and labels
    (L,) of what follows the image; positions: the index of each ``[SEG]`` state.
    """

    described: list[Tensor]
    states: list[Tensor]
    logits: list[Tensor]
    labels: list[Tensor]
    positions: list[int]
    queries: Tensor
    mask_output: HRSegMaskOutput


class _LLMSegParity:
    """A golden file, the model in it, and one forward pass."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)
        self.owners = owners_of(golden)

    @cached_property
    def run(self) -> _Pass:
        """The pass, without gradients."""
        with torch.no_grad():
            return self._forward()

    def _forward(self) -> _Pass:
        """Conversations one by one: their prefixes may differ."""
        golden, model = self.golden, self.model
        features = self._seen()
        states, logits, labels, positions, queries = [], [], [], [], []
        for owner, sequence, row in zip(
            self.owners.tolist(), sequences_of(golden), golden["in/labels"], strict=True
        ):
            alone = HRSegFeatures([features.tokens[owner]], features.masks, features.present)
            language_output = model.run_language_model(alone, [sequence], torch.tensor([0]))
            prefix = alone.prefixes[sequence.prefix].hidden[0]
            states.append(torch.cat([prefix, language_output.hidden[0]]))
            positions.append(len(prefix) + int(sequence.condition.argmax()))
            logits.append(model.lm_head(language_output.hidden[0]))
            begin = len(sequence.prefix) + 1
            labels.append(row[begin : begin + len(sequence.ids)])
            queries.append(model.build_queries(language_output))
        asking = torch.cat(queries)
        described = [
            masks[there] for masks, there in zip(features.masks, features.present, strict=True)
        ]
        mask_output = model.decode_masks(features, self.owners, asking)
        return _Pass(described, states, logits, labels, positions, asking, mask_output)

    def _seen(self) -> HRSegFeatures:
        golden, model = self.golden, self.model
        side = model.config.grid
        tokens = model.dino_projection(golden["in/dino_tokens"]).unflatten(1, (side, side))
        soft = [golden[f"out/soft_masks_256_{b}"] for b in image_range(golden)]
        masks, present = model.encode_masks(model.attend_to_windows(tokens.unsqueeze(1)), soft)
        pixels, sizes = golden["in/images_clip"], torch.zeros(len(tokens), 2)
        return HRSegFeatures(model.llava.image_tokens(pixels, sizes), masks, present)

    @torch.no_grad()
    def encode_image(self) -> None:
        """The projection of DINOv2's tokens, and mask features pooled from it."""
        golden = self.golden
        conv = self.model.dino_projection(golden["in/dino_tokens"]).transpose(1, 2)
        golden.close("out/dino_conv", conv.reshape(golden["out/dino_conv"].shape), ROUNDING)
        for b, ours in enumerate(self.run.described):
            golden.close(f"out/mask_features_{b}", ours, POOLED)

    def pooling(self) -> None:
        """Pooling by itself, from their features."""
        golden = self.golden
        for b, maps in enumerate(golden["out/dino_conv"]):
            soft = golden[f"out/soft_masks_256_{b}"]
            pooled = pool_masks(upsample(maps[None], soft.shape[-1])[0], soft)
            golden.close(f"out/mask_features_{b}", pooled, POOLED)

    @torch.no_grad()
    def run_language_model(self) -> None:
        """Every state of every conversation, without padding."""
        golden, run = self.golden, self.run
        golden.agrees("seg_position", torch.tensor(run.positions))
        states = torch.cat(run.states)
        golden.agrees("llm_last_hidden", states, ROUNDING, self._unpadded)
        golden.agrees("text_fc_all", self.model.text_projection(states), ROUNDING, self._unpadded)

    def _unpadded(self, theirs: Tensor) -> Tensor:
        """(P, L, D) -> the real positions of all conversations, one after the other."""
        lengths = [len(states) for states in self.run.states]
        return torch.cat([row[:n] for row, n in zip(theirs, lengths, strict=True)])

    def build_queries(self) -> None:
        """The ``[SEG]`` embedding of each conversation."""
        self.golden.close("out/seg_embedding", self.run.queries, ROUNDING)

    @torch.no_grad()
    def fusion(self) -> None:
        """Layer by layer, then as a whole; the texts of an image as one batch."""
        golden, model, run = self.golden, self.model, self.run
        for b, described in enumerate(run.described):
            queries = run.queries[self.owners == b]
            start = described.expand(len(queries), -1, -1)
            masks, text = start, queries.unsqueeze(1)
            nothing = torch.zeros(len(queries), 1, len(described))
            for number, layer in enumerate(model.fusion.layers):
                masks, text = layer(masks, text, nothing)
                golden.close(f"out/layer{number}_masks_{b}", masks, ROUNDING)
                golden.close(f"out/layer{number}_text_{b}", text, ROUNDING)
            fused = model.fusion(start, queries, torch.ones(masks.shape[:2], dtype=torch.bool))
            golden.close(f"out/fused_{b}", fused, ROUNDING)
            golden.close(f"out/mask_embedding_{b}", model.embedding_head(fused), ROUNDING)

    def decode_masks(self) -> None:
        """Both scores of every proposal; theirs at inference are of each image's first text."""
        golden, mask_output = self.golden, self.run.mask_output
        for b, described in enumerate(self.run.described):
            rows, count = self.owners == b, len(described)
            golden.close(f"out/iop_{b}", mask_output.iop[rows, :count].unsqueeze(-1), ROUNDING)
            for name, scores in (("similarity", mask_output.similarity), ("iop", mask_output.iop)):
                golden.close(f"out/infer_{name}_{b}", scores[rows][:1, :count], ROUNDING)

    def losses(self) -> None:
        """The losses of each text, their means and the total."""
        golden, run = self.golden, self.run
        each, text = self._losses(run)
        for name, theirs in _LOSSES.items():
            for b in image_range(golden):
                ours = each[name][self.owners == b]
                golden.close(f"out/{theirs}_rounds_{b}", ours, POOLED)
            mean = mean_per_image(each[name], self.owners)
            golden.close(f"out/{theirs}", mean.reshape(1), POOLED)
        golden.close("out/ce_loss", text.reshape(1), ROUNDING)
        golden.close("out/loss", self._total(each, text).reshape(1), POOLED)

    def gradients(self) -> None:
        """Of the total, where the file has them."""
        golden = self.golden
        names = [name for name in golden.tensors if name.startswith(_GRADIENTS)]
        golden.require(bool(names), f"there is no {_GRADIENTS}")
        parameters = [self._parameter(name.removeprefix(_GRADIENTS)) for name in names]
        total = self._total(*self._losses(self._forward()))
        for name, ours in zip(names, torch.autograd.grad(total, parameters), strict=True):
            golden.close(name, ours.reshape(golden[name].shape), ROUNDING)

    def _parameter(self, official: str) -> Tensor:
        """Ours that becomes theirs by a new name or shape alone."""
        (ours,) = convert(LLM_SEG_RULES, official, self.golden[f"w/{official}"])
        return self.model.get_parameter(ours)

    def _losses(self, run: _Pass) -> tuple[dict[str, Tensor], Tensor]:
        """The losses of each text, and of the language model."""
        most = run.mask_output.present.shape[1]
        iou, iop = (
            torch.stack(
                [
                    F.pad(row, (0, most - len(row)))
                    for b in image_range(self.golden)
                    for row in self.golden[f"out/gt_{name}_{b}"]
                ]
            )
            for name in ("iou", "iop")
        )
        logits = pad_sequence(run.logits, batch_first=True)
        labels = pad_sequence(run.labels, batch_first=True, padding_value=IGNORED)
        return losses_per_text(run.mask_output, iou, iop, "weighted"), next_token_loss(
            logits, labels
        )

    def _total(self, each: dict[str, Tensor], text: Tensor) -> Tensor:
        means = [mean_per_image(values, self.owners) for values in each.values()]
        return text + torch.stack(means).sum()
