"""A golden file of LLM-Seg: sizes, weights, conversations, images.

Sizes that its ``config`` lacks come from the shapes of the weights.
"""

import ast
from typing import Any

import numpy as np
import torch
from parity.golden import Golden
from torch import Tensor

from vlseg_cli.models.hrseg.config import LLM_SEG, HRSegConfig
from vlseg_cli.models.hrseg.conversion import LLM_SEG_RULES
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.text.placeholders import Placeholder
from vlseg_cli.text.sequence import TokenSequence

ROUNDING = 1e-5  # another order of float32 operations; the layout's own suggestion
POOLED = 1e-4  # where thousands of pixels are summed
NORM_EPSILON = 1e-6  # what the layout states beside the files
_CLIP = "w/model.vision_tower.vision_tower.vision_model."


def image_range(golden: Golden) -> range:
    """Indices of the images; names of tensors recorded per image end with them."""
    return range(len(golden["in/offset"]) - 1)


def counted(golden: Golden, stem: str) -> int:
    """How many layers have names that begin with ``stem``."""
    return 1 + max(int(n[len(stem) :].split(".")[0]) for n in golden.tensors if n.startswith(stem))


def golden_model(golden: Golden) -> HRSeg:
    """The authors' weights in our modules; DINOv2 apart, whose tokens are given."""
    model = HRSeg(config_of(golden)).eval()
    golden.fill(model, LLM_SEG_RULES, without=("dino.",))
    return model


def config_of(golden: Golden) -> HRSegConfig:
    """A golden file's sizes as a configuration."""
    sizes = _sizes_of(golden)
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
            "clip_patch": golden[f"{_CLIP}embeddings.patch_embedding.weight"].shape[-1],
            "clip_width": sizes["clipH"],
            "clip_layers": counted(golden, f"{_CLIP}encoder.layers."),
            "clip_heads": sizes["clipheads"],
            "clip_feedforward": len(golden[f"{_CLIP}encoder.layers.0.mlp.fc1.weight"]),
            "language_channels": sizes["H"],
            "language_layers": counted(golden, "w/model.layers."),
            "language_heads": sizes["lheads"],
            "language_feedforward": sizes["inter"],
            "vocabulary": sizes["V"],
            "norm_epsilon": NORM_EPSILON,
            "fusion_layers": counted(golden, "w/model.lisa_attention_layers."),
            "fusion_heads": sizes["heads"],
            "fusion_feedforward": sizes["mlp"],
            "embedding_head": sizes["ehid"],
            "iop_head": sizes["ihid"],
        }
    )


def sequences_of(golden: Golden) -> list[TokenSequence]:
    """The recorded conversations; the position before ``[SEG]`` is the one that requests."""
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


def owners_of(golden: Golden) -> Tensor:
    """(P,): the image of each conversation."""
    counts = golden["in/offset"].diff()
    return torch.arange(len(counts)).repeat_interleave(counts)


def _sizes_of(golden: Golden) -> dict[str, Any]:
    """``config`` of the metadata: a Python table whose values are Python again."""
    table = ast.literal_eval(str(golden.metadata["config"]))
    return {key: ast.literal_eval(value) for key, value in table.items()}
