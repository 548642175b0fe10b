"""A golden file of MVP-LM: its sizes, its prompts, and how exactly our modules must agree."""

import numpy as np
import torch
from parity.golden import Golden
from torch import Tensor

from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.conversion import mvp_lm_rules
from vlseg_cli.models.mvp_lm.modeling import MVPLM, DecoderLevel
from vlseg_cli.models.mvp_lm.prompts import IGNORED
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence, assemble
from vlseg_cli.weights.conversion.coverage import cover, require_complete
from vlseg_cli.weights.conversion.rules import convert

FIRST = torch.zeros(1, dtype=torch.long)  # the one picture of the file
KINDS = {
    "pan": ConditionKind.CATEGORY,
    "det": ConditionKind.CATEGORY,
    "ref": ConditionKind.SENTENCE,
}
_TOLERANCE = 1e-4  # of an output's largest value; the file records no spread
_PER_HEAD = 4 * 4 * 2  # levels, points, x and y


def config_of(golden: Golden) -> MVPLMConfig:
    """Sizes from the file's own table, or from the weights where it does not say them."""
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
    config, official = config_of(golden), golden.weights()
    rules = mvp_lm_rules(config.language_heads, config.vocabulary, official)
    model = MVPLM(config).eval()
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    require_complete(cover(rules, official, own), golden.path.name)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    model.load_state_dict(ours)
    return model


def agree(golden: Golden, name: str, ours: Tensor) -> None:
    """Raise WeightsError unless output ``name`` is ours: whole numbers and infinities exactly."""
    theirs = golden[f"out/{name}"]
    allowed = 0.0
    if theirs.is_floating_point():
        largest = float(theirs.masked_fill(~theirs.isfinite(), 0).abs().amax())
        allowed = _TOLERANCE * max(1.0, largest)
    golden.agrees(name, ours, allowed)


def level_agrees(golden: Golden, name: str, level: DecoderLevel) -> None:
    """Scores, boxes and masks of one level."""
    agree(golden, f"{name}/logits", level.scores)
    agree(golden, f"{name}/boxes", level.boxes)
    agree(golden, f"{name}/masks", level.pred_masks)


def sequence_of(golden: Golden, case: str, slots: int) -> TokenSequence:
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


def said(golden: Golden, case: str, ids: Tensor) -> Tensor:
    """The file's labels of the answer, at our positions: ids (P, L) -> (P, L)."""
    labels = golden[f"in/{case}/labels"][0]
    tail = labels[int((labels != IGNORED).int().argmax()) :]
    slots = int((ids == Placeholder.QUERIES).sum())
    count = len(tail) + slots - 1
    ours = torch.full_like(ids, IGNORED)
    ours[:, -count:] = ids[:, -count:]
    return ours.masked_fill(ids == Placeholder.QUERIES, IGNORED)
