"""SAM as its authors name it to ours, which is transformers' inside a module.

Source: HRSeg section 11; facebookresearch/segment-anything.
"""

import re

from vlseg_cli.weights.convert.rules import Rename, Repeat, Rule

_ENCODER_NECK = {"0": "conv1", "1": "layer_norm1", "2": "conv2", "3": "layer_norm2"}
_DOWNSCALING = {
    "0": "conv1",
    "1": "layer_norm1",
    "3": "conv2",
    "4": "layer_norm2",
    "6": "conv3",
}
_UPSCALING = {"0": "upscale_conv1", "1": "upscale_layer_norm", "3": "upscale_conv2"}
_MLP = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}


def sam_rules(theirs: str, ours: str) -> tuple[Rule, ...]:
    """theirs, ours: what stands before the names, as '' or 'model.visual_model.'."""
    before = re.escape(theirs)
    encoder, prompts = rf"{before}image_encoder\.", rf"{before}prompt_encoder\."
    decoder = rf"{before}mask_decoder\."
    block, our_block = rf"{encoder}blocks\.(\d+)\.", rf"{ours}vision_encoder.layers.\1."
    mlps = rf"{decoder}(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\."
    return (
        Rename(rf"{encoder}pos_embed", f"{ours}vision_encoder.pos_embed"),
        Rename(
            rf"{encoder}patch_embed\.proj\.(\w+)",
            rf"{ours}vision_encoder.patch_embed.projection.\1",
        ),
        Rename(rf"{block}norm([12])\.(\w+)", rf"{our_block}layer_norm\2.\3"),
        Rename(rf"{block}((?:attn|mlp)\..+)", rf"{our_block}\2"),
        *(
            Rename(rf"{encoder}neck\.{place}\.(\w+)", rf"{ours}vision_encoder.neck.{name}.\1")
            for place, name in _ENCODER_NECK.items()
        ),
        Repeat(
            rf"{prompts}pe_layer\.positional_encoding_gaussian_matrix",
            (
                f"{ours}shared_image_embedding.positional_embedding",
                f"{ours}prompt_encoder.shared_embedding.positional_embedding",
            ),
        ),
        Rename(
            rf"{prompts}point_embeddings\.(\d)\.weight",
            rf"{ours}prompt_encoder.point_embed.\1.weight",
        ),
        Rename(rf"{prompts}((?:no_mask|not_a_point)_embed\.weight)", rf"{ours}prompt_encoder.\1"),
        *(
            Rename(
                rf"{prompts}mask_downscaling\.{place}\.(\w+)",
                rf"{ours}prompt_encoder.mask_embed.{name}.\1",
            )
            for place, name in _DOWNSCALING.items()
        ),
        Rename(
            rf"{decoder}transformer\.(layers\.\d+\.)?norm(\d|_final_attn)\.(\w+)",
            rf"{ours}mask_decoder.transformer.\1layer_norm\2.\3",
        ),
        Rename(
            rf"{decoder}transformer\.((?:layers\.\d+\.)?"
            r"(?:self_attn|cross_attn_\w+|final_attn_\w+|mlp)\..+)",
            rf"{ours}mask_decoder.transformer.\1",
        ),
        *(
            Rename(rf"{decoder}output_upscaling\.{place}\.(\w+)", rf"{ours}mask_decoder.{name}.\1")
            for place, name in _UPSCALING.items()
        ),
        *(
            Rename(rf"{mlps}{place}\.(\w+)", rf"{ours}mask_decoder.\1.{name}.\2")
            for place, name in _MLP.items()
        ),
        Rename(rf"{decoder}(iou_token|mask_tokens)\.weight", rf"{ours}mask_decoder.\1.weight"),
    )
