"""LLM-Seg's state dict to HRSeg's: every tensor renamed, split, repeated or dropped for a reason.

Source: HRSeg section 11; the layout of ``JCdesu/LLM-Seg-deepspeed`` without the prefix that PEFT
puts before every name. HRSeg's own weights are not published: its additions start anew.
"""

from vlseg_cli.weights.convert.dinov2 import dinov2_rules
from vlseg_cli.weights.convert.lora import LORA
from vlseg_cli.weights.convert.rules import Drop, FromConvolution, Rename, Rule
from vlseg_cli.weights.convert.sam import sam_rules

_PROJECTIONS = r"([qkv]|out)_proj\.(\w+)"
_BLOCK = r"model\.lisa_attention_layers\.(\d+)"
_OUR_BLOCK = r"fusion.layers.\1"
_LANGUAGE = r"llava.model.language_model"

_LLAVA: tuple[Rule, ...] = (
    Rename(r"lm_head\.weight", "lm_head.weight"),
    Rename(r"model\.((?:embed_tokens|norm)\.weight)", rf"{_LANGUAGE}.\1"),
    Rename(
        r"model\.(layers\.\d+\.self_attn\.[qkvo]_proj)\.(?:base_layer\.)?weight",
        rf"{_LANGUAGE}.\1.weight",
    ),
    Rename(
        r"model\.(layers\.\d+\.(?:mlp\.\w+|input_layernorm|post_attention_layernorm)\.weight)",
        rf"{_LANGUAGE}.\1",
    ),
    Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical"),
    Drop(rf".*{LORA}", "added to the weight that it adapts"),
    Rename(r"model\.mm_projector\.(\w+)", r"llava.model.multi_modal_projector.\1"),
    Drop(r".*\.embeddings\.position_ids", "the numbers from 0 up, counted anew"),
    Rename(
        r"model\.vision_tower\.vision_tower\.vision_model\.(.+)", r"llava.model.vision_tower.\1"
    ),
)

_SELECTION: tuple[Rule, ...] = (
    Rename(r"model\.text_hidden_fcs\.0\.([02]\.\w+)", r"text_projection.\1"),
    FromConvolution(r"model\.lisa_dino_conv\.weight", "dino_projection.weight"),
    Rename(r"model\.lisa_dino_conv\.bias", "dino_projection.bias"),
    Rename(rf"{_BLOCK}\.self_attn\.{_PROJECTIONS}", rf"{_OUR_BLOCK}.self_attn.\2_proj.\3"),
    Rename(
        rf"{_BLOCK}\.cross_attn_token_to_image\.{_PROJECTIONS}",
        rf"{_OUR_BLOCK}.masks_to_text.\2_proj.\3",
    ),
    Rename(
        rf"{_BLOCK}\.cross_attn_image_to_token\.{_PROJECTIONS}",
        rf"{_OUR_BLOCK}.text_to_masks.\2_proj.\3",
    ),
    *(
        Rename(rf"{_BLOCK}\.norm{number + 1}\.(\w+)", rf"{_OUR_BLOCK}.norms.{number}.\2")
        for number in range(4)
    ),
    Rename(rf"{_BLOCK}\.mlp\.lin([12])\.(\w+)", rf"{_OUR_BLOCK}.fc\2.\3"),
    Rename(rf"model\.lisa_final_attn\.{_PROJECTIONS}", r"fusion.final_attn.\1_proj.\2"),
    Rename(r"model\.lisa_norm_final_attn\.(\w+)", r"fusion.norm.\1"),
    Rename(r"model\.lisa_iou_head\.([02]\.\w+)", r"iop_head.\1"),
    Rename(r"model\.lisa_embedding_head\.([02]\.\w+)", r"embedding_head.\1"),
)

PREFIX = "base_model.model."  # PEFT's

LLM_SEG_RULES: tuple[Rule, ...] = (
    *_LLAVA,
    *_SELECTION,
    *dinov2_rules("model.visual_model_dinov2.", "dino.model."),
    *sam_rules("model.visual_model.", "sam.model."),
)
