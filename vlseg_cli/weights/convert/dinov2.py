"""DINOv2 as torch-hub names it to ours, which is transformers' inside a module.

Source: HRSeg section 11; facebookresearch/dinov2.
"""

import re

from vlseg_cli.weights.convert.rules import Rename, Rule, SplitRows


def dinov2_rules(theirs: str, ours: str) -> tuple[Rule, ...]:
    """theirs, ours: what stands before the names, as '' or 'model.visual_model_dinov2.'."""
    before = re.escape(theirs)
    block, our_block = rf"{before}blocks\.(\d+)\.", rf"{ours}encoder.layer.\1."
    return (
        Rename(rf"{before}(cls_token|mask_token)", rf"{ours}embeddings.\1"),
        Rename(rf"{before}pos_embed", f"{ours}embeddings.position_embeddings"),
        Rename(
            rf"{before}patch_embed\.proj\.(\w+)",
            rf"{ours}embeddings.patch_embeddings.projection.\1",
        ),
        Rename(rf"{block}((?:norm[12]|mlp\.fc[12])\.\w+)", rf"{our_block}\2"),
        SplitRows(rf"{block}attn\.qkv\.(\w+)", rf"{our_block}attention.{{}}_proj.\2"),
        Rename(rf"{block}attn\.proj\.(\w+)", rf"{our_block}attention.o_proj.\2"),
        Rename(rf"{block}ls([12])\.gamma", rf"{our_block}layer_scale\2.lambda1"),
        Rename(rf"{before}norm\.(\w+)", rf"{ours}layernorm.\1"),
    )
