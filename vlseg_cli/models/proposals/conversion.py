"""Converts SAM's published checkpoints to transformers' SamModel.

Source: HRSeg section 11; facebookresearch/segment-anything.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import Shapes, cover, require_complete, shapes_of
from vlseg_cli.weights.conversion.rules import Rename, Repeat, Rule, convert, renames
from vlseg_cli.weights.conversion.sizes import SizeReader
from vlseg_cli.weights.folder import load_into
from vlseg_cli.weights.read.checkpoint import read_checkpoint

_ENCODER = {
    "patch_embed.proj": "patch_embed.projection",
    "neck.0": "neck.conv1",
    "neck.1": "neck.layer_norm1",
    "neck.2": "neck.conv2",
    "neck.3": "neck.layer_norm2",
}
_BLOCK = {"norm1": "layer_norm1", "norm2": "layer_norm2", "attn": "attn", "mlp": "mlp"}
_PROMPTS = {
    "point_embeddings": "point_embed",
    "no_mask_embed": "no_mask_embed",
    "not_a_point_embed": "not_a_point_embed",
    "mask_downscaling.0": "mask_embed.conv1",
    "mask_downscaling.1": "mask_embed.layer_norm1",
    "mask_downscaling.3": "mask_embed.conv2",
    "mask_downscaling.4": "mask_embed.layer_norm2",
    "mask_downscaling.6": "mask_embed.conv3",
}
_DECODER = {
    "iou_token": "iou_token",
    "mask_tokens": "mask_tokens",
    "output_upscaling.0": "upscale_conv1",
    "output_upscaling.1": "upscale_layer_norm",
    "output_upscaling.3": "upscale_conv2",
}
_MLP = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}


def sam_rules(theirs: str, ours: str) -> tuple[Rule, ...]:
    """Rules from official names to ours; theirs, ours: prefixes, such as 'model.visual_model.'."""
    before = re.escape(theirs)
    encoder, prompts = rf"{before}image_encoder\.", rf"{before}prompt_encoder\."
    decoder, our_decoder = rf"{before}mask_decoder\.", f"{ours}mask_decoder."
    mlps = rf"{decoder}(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\."
    return (
        Rename(rf"{encoder}pos_embed", f"{ours}vision_encoder.pos_embed"),
        *renames(encoder, f"{ours}vision_encoder.", _ENCODER),
        *renames(rf"{encoder}blocks\.(\d+)\.", rf"{ours}vision_encoder.layers.\1.", _BLOCK),
        Repeat(
            rf"{prompts}pe_layer\.positional_encoding_gaussian_matrix",
            (
                f"{ours}shared_image_embedding.positional_embedding",
                f"{ours}prompt_encoder.shared_embedding.positional_embedding",
            ),
        ),
        *renames(prompts, f"{ours}prompt_encoder.", _PROMPTS),
        Rename(
            rf"{decoder}transformer\.(layers\.\d+\.)?norm(\d|_final_attn)\.(\w+)",
            rf"{our_decoder}transformer.\1layer_norm\2.\3",
        ),
        Rename(rf"{decoder}(transformer\..+)", rf"{our_decoder}\1"),
        *renames(decoder, our_decoder, _DECODER),
        *renames(mlps, rf"{our_decoder}\1.", _MLP),
    )


_DECODER_HEADS = 8  # not derivable from shapes; the same in all published sizes


def is_official_sam(directory: Path) -> bool:
    """Whether a folder holds SAM's checkpoint, by its published file name."""
    return any(directory.glob("sam_vit_*.pth"))


def official_sam_sizes(tensors: Mapping[str, Tensor], decoder_heads: int) -> SAMSizes:
    """Sizes derived from tensor shapes. Raises WeightsError if they are not a SAM's."""
    sizes = sam_sizes(shapes_of(tensors))
    return SAMSizes(whole=tuple(sizes.pop("global")), **sizes, decoder_heads=decoder_heads)


def load_official_sam(
    directory: Path,
    device: str,
    dtype: torch.dtype = torch.float32,
    decoder_heads: int = _DECODER_HEADS,
) -> SAM:
    """Load and convert a checkpoint. Raises WeightsError naming every mismatched tensor."""
    tensors = read_checkpoint(directory)
    sizes, rules = official_sam_sizes(tensors, decoder_heads), sam_rules("", "model.")
    try:
        model = build_empty(lambda: SAM(sizes))
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"the sizes of {directory} do not form a SAM") from error
    require_complete(cover(rules, tensors, shapes_of(model.state_dict())), directory)
    converted = {k: v for name, t in tensors.items() for k, v in convert(rules, name, t).items()}
    load_into(model, {name: t.to(device, dtype) for name, t in converted.items()}, directory)
    return model


def sam_sizes(shapes: Shapes, before: str = "") -> dict[str, Any]:
    """Sizes of a SAM under the names of ``SAMSizes``, without the decoder's heads.

    before: prefix of the names. Raises WeightsError if the tensors are not a SAM's.
    """
    encoder = rf"{re.escape(before)}image_encoder\."
    decoder = rf"{re.escape(before)}mask_decoder\."
    positions = rf"{encoder}blocks\.(\d+)\.attn\.rel_pos_h"
    reader = SizeReader("LLM-Seg or SAM", shapes)
    sizes = reader.sizes(
        {
            "width": ((rf"{encoder}blocks\.\d+\.norm[12]\.\w+", 0, int),),
            "patch": ((rf"{encoder}patch_embed\.proj\.weight", 3, int),),
            "image": ((rf"{encoder}pos_embed", 1, int), (rf"{encoder}pos_embed", 2, int)),
            "heads": ((positions, 1, int),),
            "channels": ((rf"{encoder}neck\.\d\.\w+", 0, int),),
            "decoder_feedforward": ((rf"{decoder}transformer\..*\.mlp\.lin1\.\w+", 0, int),),
        }
    )
    grid = sizes["image"]
    reach = {  # side of a layer's attention window, in cells
        int(match[1]): (shape[0] + 1) // 2
        for name, shape in shapes.items()
        if (match := re.fullmatch(positions, name))
    }
    windows = [cells for cells in reach.values() if cells != grid]
    return sizes | {
        "image": grid * sizes["patch"],
        "layers": reader.count(rf"{encoder}blocks\.(\d+)\..*"),
        "heads": sizes["width"] // max(1, sizes["heads"]),
        "window": max(windows, default=grid),
        "global": [layer for layer, cells in sorted(reach.items()) if cells == grid],
    }
