"""A golden file of MVP-LM: sizes, prompts, and recorded training steps with their random draws."""

from collections.abc import Iterator

import numpy as np
import torch
from parity.golden import Golden
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.conversion import mvp_lm_rules
from vlseg_cli.models.mvp_lm.criterion import (
    BoxTargets,
    Losses,
    TargetCounts,
    count_targets,
    denoised_losses,
    level_losses,
    match_level,
)
from vlseg_cli.models.mvp_lm.modeling import MVPLM, DecoderLevel, MVPLMMaskOutput
from vlseg_cli.models.mvp_lm.prompts import IGNORED
from vlseg_cli.nn.boxes import xyxy_to_cxcywh
from vlseg_cli.nn.losses import next_token_loss, sample_points
from vlseg_cli.nn.mask_dino import DenoisingQueries, denoising_queries
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence, assemble

FIRST = torch.zeros(1, dtype=torch.long)  # the one image of the file
KINDS = {
    "pan": ConditionKind.CATEGORY,
    "det": ConditionKind.CATEGORY,
    "ref": ConditionKind.SENTENCE,
}
_TOLERANCE = 1e-4  # relative to an output's largest magnitude; the file records no spread
_PER_HEAD = 4 * 4 * 2  # levels, points, x and y


def config_of(golden: Golden) -> MVPLMConfig:
    """Sizes from the file's table, or from the weights where it lacks them."""
    sizes, weights = golden.config, golden.weights()
    swin, phi = sizes["swin"], sizes["phi"]
    offsets = "self_attn.sampling_offsets.bias"
    encoder = weights[f"pixel_decoder.transformer.encoder.layers.0.{offsets}"]
    decoder = weights["predictor.decoder.layers.0.cross_attn.sampling_offsets.bias"]
    return MVPLMConfig(
        swin_embed=swin["embed"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["heads"]),
        swin_window=swin["window"],
        connector_width=sizes["connector_planes"],
        pixel_channels=sizes["hidden"],
        mask_channels=sizes["mask_dim"],
        pixel_layers=sizes["enc_layers"],
        pixel_heads=len(encoder) // _PER_HEAD,
        pixel_feedforward=sizes["enc_ffn"],
        language_channels=phi["hidden"],
        language_layers=phi["layers"],
        language_heads=phi["heads"],
        language_feedforward=phi["inter"],
        vocabulary=phi["vocab"],
        queries=sizes["num_queries"],
        stuff_queries=sizes["num_stuff"],
        decoder_layers=sizes["dec_layers"],
        decoder_heads=len(decoder) // _PER_HEAD,
        decoder_feedforward=sizes["dec_ffn"],
    )


def golden_model(golden: Golden) -> MVPLM:
    """The authors' weights in our modules. Raises WeightsError unless all of them fit."""
    config = config_of(golden)
    model = MVPLM(config).eval()
    golden.fill(model, mvp_lm_rules(config.language_heads, config.vocabulary, golden.weights()))
    return model


def agree(golden: Golden, name: str, ours: Tensor) -> None:
    """Raise WeightsError unless output ``name`` is ours within ``_TOLERANCE``."""
    golden.agrees(name, ours, _TOLERANCE)


def level_agrees(golden: Golden, name: str, level: DecoderLevel) -> None:
    """Scores, boxes and masks of one level."""
    agree(golden, f"{name}/logits", level.scores)
    agree(golden, f"{name}/boxes", level.boxes)
    agree(golden, f"{name}/masks", level.pred_masks)


def sequence_of(golden: Golden, case: str, slots: int) -> TokenSequence:
    """The file's tokens; conditions in the order of the names, though tokens may be shuffled."""
    ids = golden[f"in/{case}/input_ids"][0].tolist()
    if case.endswith("ref"):
        refer = golden[f"in/{case}/token_refer_id"].tolist()
        return assemble(ids, slots, expression=refer, keep_tail=True)
    tokens, owner = golden[f"in/{case}/class_name_ids"][0], golden[f"in/{case}/cls_indices"][0]
    names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
    sequence = assemble(ids, slots, names=names, keep_tail=True)
    if f"in/{case}/random_idx" not in golden.tensors:
        return sequence
    canonical = golden[f"in/{case}/random_idx"][0].argsort().numpy()
    condition = np.where(sequence.condition >= 0, canonical[sequence.condition], -1)
    return TokenSequence(sequence.prefix, sequence.ids, condition)


def text_labels(golden: Golden, case: str, ids: Tensor) -> Tensor:
    """The file's text labels at our positions: ids (P, L) -> (P, L)."""
    labels = golden[f"in/{case}/labels"][0]
    tail = labels[int((labels != IGNORED).int().argmax()) :]
    slots = int((ids == Placeholder.QUERIES).sum())
    count = len(tail) + slots - 1
    ours = torch.full_like(ids, IGNORED)
    ours[:, -count:] = ids[:, -count:]
    return ours.masked_fill(ids == Placeholder.QUERIES, IGNORED)


_STUFF_FROM = 80  # in the authors' training code, labels from here up are stuff
_OFFICIAL = {
    "category": "class_name_class",
    "sentence": "SEG_class",
    "mask": "mask",
    "dice": "dice",
    "box": "bbox",
    "giou": "giou",
}
_WEIGHTS = {"category": 2.0, "sentence": 2.0, "mask": 5.0, "dice": 5.0, "box": 5.0, "giou": 2.0}
_INSIDE = {"sentence": 0.1}  # factors that the authors' code hides in a loss


class LearningStep:
    """One recorded training step: its predictions and their losses."""

    def __init__(self, golden: Golden, model: MVPLM, features: ImageFeatures, case: str) -> None:
        self.golden, self.case, self.kind = golden, f"train_{case}", KINDS[case]
        self.truth, stuff = _truth_of(golden, self.case), case == "pan"
        self.selected = golden.config["num_queries"] if stuff else None
        slots = 1 if stuff else golden.config["num_queries"]
        sequence = sequence_of(golden, self.case, slots)
        with torch.no_grad():
            language_output = model.run_language_model(features, [sequence], FIRST)
            queries = model.build_queries(
                features, FIRST, model.pool(language_output), self.kind, stuff
            )
            self.noise = self._denoising_queries(queries.conditions)
            self.mask_output: MVPLMMaskOutput = model.decode_masks(
                features, FIRST, queries, self.kind, all_levels=True, noise=self.noise
            )
            logits = model.lm_head(language_output.hidden)
            self.language = next_token_loss(
                logits, text_labels(golden, self.case, language_output.ids)
            )

    def _denoising_queries(self, conditions: Tensor) -> DenoisingQueries | None:
        if self.kind is ConditionKind.SENTENCE:
            return None
        boxes, labels = [self.truth.boxes], [self.truth.labels]
        draws = self.golden[f"in/{self.case}/dn_noise"][None]
        return denoising_queries(conditions, boxes, labels, self.golden.config["dn_num"], draws)

    def _agrees(self, name: str, ours: Tensor) -> None:
        agree(self.golden, f"{self.case}/{name}", ours)

    def denoising(self) -> None:
        """Noisy boxes, their attention mask and predictions; sentences have none."""
        if self.noise is None:
            return
        self._agrees("dn/query_label", self.noise.queries)
        self._agrees("dn/query_bbox_unsig", self.noise.boxes)
        self._agrees("dn/scalar", torch.tensor(self.noise.groups))
        self._agrees("dn/pad_size", torch.tensor(self.noise.queries.shape[1]))
        total = self.noise.queries.shape[1] + self.mask_output.levels[-1].boxes.shape[1]
        self._agrees("dn/attn_mask", self.noise.attention_mask(total))
        last = self.mask_output.denoised[-1]
        for name, ours in zip(("logits", "boxes", "masks"), last, strict=True):
            self._agrees(f"dn/final_{name}", ours)

    def losses(self) -> None:
        """The matching, every loss of every level, and their totals."""
        level_agrees(self.golden, f"{self.case}/final", self.mask_output.levels[-1])
        losses: dict[str, Tensor] = {}
        for suffix, found in self._losses():
            losses |= {f"{_OFFICIAL[name]}{suffix}": value for name, value in found.items()}
        self._recorded_agree(losses)
        self._totals_agree(losses)

    def _losses(self) -> Iterator[tuple[str, Losses]]:
        """By the endings of the authors' names."""
        golden, truth = self.golden, [self.truth]
        sampling = _GivenPoints(golden["in/train_points"])
        counts = TargetCounts(*(max(float(n), 1.0) for n in count_targets(truth)))
        for suffix, level in self._levels():
            pairs = match_level(level, truth, self.kind, sampling, self.selected)
            matched = f"aux{suffix[1:]}" if suffix[1:].isdigit() else suffix[1:] or "final"
            self._agrees(f"match/{matched}", torch.stack(pairs[0]))
            found = level_losses(level, truth, pairs, self.kind, sampling, counts)
            yield suffix, {name: _INSIDE.get(name, 1.0) * v for name, v in found.items()}
        if self.noise is not None:
            *early, last = self.mask_output.denoised
            named = [*((f"_{i}_dn", level) for i, level in enumerate(early)), ("_dn", last)]
            for suffix, level in named:
                yield suffix, denoised_losses(level, self.noise, truth, sampling, counts)

    def _levels(self) -> Iterator[tuple[str, DecoderLevel]]:
        *early, last = self.mask_output.levels
        yield "", last
        yield from ((f"_{i}", level) for i, level in enumerate(early))
        if self.mask_output.initial is not None:
            yield "_interm", self.mask_output.initial

    def _recorded_agree(self, losses: Losses) -> None:
        """Every recorded loss, no fewer than ours; what ours leaves out is 0 in theirs."""
        start = f"out/{self.case}/loss_unweighted/loss_"
        recorded = [n.removeprefix(start) for n in self.golden.tensors if n.startswith(start)]
        if unknown := losses.keys() - recorded:
            raise WeightsError(f"{self.golden.path.name} has no loss {min(unknown)}")
        for name in recorded:
            self._agrees(f"loss_unweighted/loss_{name}", losses.get(name, torch.zeros(())))

    def _totals_agree(self, losses: Losses) -> None:
        total = self.language
        for ours, official in _OFFICIAL.items():
            mine = [value for name, value in losses.items() if name.startswith(official)]
            weighted = _WEIGHTS[ours] * sum(mine, torch.zeros(()))
            self._agrees(f"total/loss_{official}", weighted)
            total = total + weighted
        self._agrees("total/loss_llm", self.language)
        self._agrees("total/loss", total)


class _GivenPoints:
    """A ``MaskSampling`` at the file's points."""

    def __init__(self, points: Tensor) -> None:
        self.points = points

    def prepare(self, truth: Tensor) -> Tensor:
        """Truth at full resolution."""
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """At the points."""
        return self._at(logits), self._at(truth)

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """At the points."""
        return self._at(logits), self._at(truth)

    def _at(self, maps: Tensor) -> Tensor:
        return sample_points(maps, self.points.expand(len(maps), -1, -1))


def _truth_of(golden: Golden, case: str) -> BoxTargets:
    height, width = golden.config["image"]
    boxes = golden[f"in/{case}/gt_boxes_xyxy_abs"] / torch.tensor([width, height] * 2)
    labels = golden[f"in/{case}/gt_classes"].long()
    masks = None if case == "train_det" else golden[f"in/{case}/gt_masks"].float()
    is_thing = labels < _STUFF_FROM
    labels = torch.zeros_like(labels) if case == "train_ref" else labels
    return BoxTargets(labels, xyxy_to_cxcywh(boxes), is_thing, masks)
