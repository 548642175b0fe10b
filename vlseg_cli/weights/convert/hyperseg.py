"""Official HyperSeg state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: HyperSeg sections 10 and 11; the layout of ``congvvc/HyperSeg``, whose LoRA is merged.
"""

from vlseg_cli.weights.convert.mask2former import (
    CONDITIONS,
    MASK_DECODER,
    PIXEL_DECODER,
    swin_rules,
)
from vlseg_cli.weights.convert.phi import LANGUAGE
from vlseg_cli.weights.convert.rules import Drop, Rename, Rule

# The published config.json could not be looked into: it may carry Mipha's model type or that of
# LLaVA's Phi, which is also PSALM's; the perceiver's queries tell the two apart.
MODEL_TYPES = (MIPHA, LLAVA) = ("mipha_phi", "llava_phi")
PERCEIVER = "temporal_query"

_SIGLIP = r"model\.vision_tower\.vision_model"
_LAYERS = r"encoder\.layers\.\d+\.(?:self_attn\.\w+|mlp\.\w+|layer_norm[12])"
_EMBEDDINGS = r"embeddings\.(?:patch_embedding|position_embedding)"
_LAYER = r"mgvp_layers\.layers\.(\d+)"
_UNUSED = "belongs to what is switched off"

_PERCEIVER: tuple[Rule, ...] = (
    Rename(r"temporal_query", r"perceiver.query"),
    Rename(r"level_embed\.weight", r"perceiver.level_embed.weight"),
    Rename(r"local_project\.(\d+)\.(\w+)", r"perceiver.local_project.\1.\2"),
    Rename(
        rf"{_LAYER}\.0\.(norm_media|norm_latents|to_q|to_kv|to_out)\.(\w+)",
        r"perceiver.layers.\1.attention.\2.\3",
    ),
    Rename(rf"{_LAYER}\.1\.([013])\.(\w+)", r"perceiver.layers.\1.feedforward.\2.\3"),
    Rename(r"mgvp_layers\.norm\.(\w+)", r"perceiver.norm.\1"),
    Rename(r"expanded_seg_query_project\.(\w+)", r"perceiver.project.\1"),
    Rename(r"temporal_query_project\.(\w+)", r"perceiver.carry.\1"),
)

_INSTANCES: tuple[Rule, ...] = (
    Rename(r"predictor\.box_embed\.layers\.(\d)\.(\w+)", r"instance_heads.boxes.layers.\1.\2"),
    Rename(
        r"predictor\.reid_embed_head\.layers\.(\d)\.(\w+)",
        r"instance_heads.embedding.layers.\1.\2",
    ),
    Drop(r"predictor\.iou_head\.\w+", _UNUSED),
)


def hyperseg_rules(clip_layers: int) -> tuple[Rule, ...]:
    """The whole table, for a SigLIP of which so many layers are used."""
    return (
        Rename(r"lm_head\.weight", r"lm_head.weight"),
        Drop(
            rf"{_SIGLIP}\.encoder\.layers\.{clip_layers}\..*", "the last layer's output is unused"
        ),
        Drop(rf"{_SIGLIP}\.(post_layernorm|head)\..*", "comes after the layer that is used"),
        Drop(rf"{_SIGLIP}\.embeddings\.position_ids", "counted anew, identical"),
        Rename(rf"{_SIGLIP}\.({_EMBEDDINGS}|{_LAYERS})\.(\w+)", r"clip_tower.tower.\1.\2"),
        Rename(r"model\.mm_projector\.([02])\.(\w+)", r"connector.\1.\2"),
        *LANGUAGE,
        *swin_rules(r"model\.vision_tower_mask"),
        *_PERCEIVER,
        *PIXEL_DECODER,
        *MASK_DECODER,
        *_INSTANCES,
        *CONDITIONS,
    )
