"""Official PSALM state dict to ours: every tensor renamed, split or dropped for a stated reason.

Source: PSALM section 11; the layout of ``zamling/PSALM`` checkpoints (fused qkv, official names).
"""

import re
from collections.abc import Mapping

from torch import Tensor

# Official name pattern -> our name. Order does not matter: exactly one pattern matches a name.
_RENAMES: tuple[tuple[str, str], ...] = (
    (r"model\.embed_tokens\.weight", "language.embed_tokens.weight"),
    (
        r"model\.layers\.(\d+)\.(self_attn\.dense|mlp\.fc[12]|input_layernorm)\.(weight|bias)",
        r"language.layers.\1.\2.\3",
    ),
    (r"model\.final_layernorm\.(\w+)", r"language.final_layernorm.\1"),
    (r"lm_head\.weight", "lm_head.weight"),
    (
        r"model\.vision_tower\.patch_embed\.proj\.(\w+)",
        r"vision_tower.backbone.swin.embeddings.patch_embeddings.projection.\1",
    ),
    (
        r"model\.vision_tower\.patch_embed\.norm\.(\w+)",
        r"vision_tower.backbone.swin.embeddings.norm.\1",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.norm1\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.layernorm_before.\3",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.norm2\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.layernorm_after.\3",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.attn\.proj\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.attention.o_proj.\3",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.attn\.relative_position_bias_table",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.attention"
        r".relative_position_bias.relative_position_bias_table",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.mlp\.(fc[12])\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.mlp.\3.\4",
    ),
    (
        r"model\.vision_tower\.layers\.(\d+)\.downsample\.(reduction|norm)\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.downsample.\2.\3",
    ),
    *(
        (
            rf"model\.vision_tower\.norm{stage}\.(\w+)",
            rf"vision_tower.backbone.hidden_states_norms.stage{stage + 1}.\1",
        )
        for stage in range(4)
    ),
    (r"model\.mm_projector\.layer1\.0\.(conv1|conv2|bn1|bn2)\.(\w+)", r"connector.\1.\2"),
    (r"model\.mm_projector\.layer1\.0\.downsample\.([01])\.(\w+)", r"connector.shortcut.\1.\2"),
    (r"model\.mm_projector\.fc\.(\w+)", r"connector.fc.\1"),
    (
        r"pixel_decoder\.input_proj\.(\d)\.([01])\.(\w+)",
        r"pixel_decoder.decoder.input_projections.\1.\2.\3",
    ),
    (r"pixel_decoder\.transformer\.level_embed", "pixel_decoder.decoder.level_embed"),
    (
        r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.self_attn\.(\w+)\.(\w+)",
        r"pixel_decoder.decoder.encoder.layers.\1.self_attn.\2.\3",
    ),
    (
        r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.norm1\.(\w+)",
        r"pixel_decoder.decoder.encoder.layers.\1.self_attn_layer_norm.\2",
    ),
    (
        r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.norm2\.(\w+)",
        r"pixel_decoder.decoder.encoder.layers.\1.final_layer_norm.\2",
    ),
    (
        r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.linear([12])\.(\w+)",
        r"pixel_decoder.decoder.encoder.layers.\1.fc\2.\3",
    ),
    (r"pixel_decoder\.mask_features\.(\w+)", r"pixel_decoder.decoder.mask_projection.\1"),
    (
        r"pixel_decoder\.(adapter_1|layer_1)\.([01])\.(\w+)",
        r"pixel_decoder.decoder.\1.\2.\3",
    ),
    (
        r"predictor\.transformer_cross_attention_layers\.(\d+)\.multihead_attn\.(.+)",
        r"mask_decoder.decoder.layers.\1.cross_attn.\2",
    ),
    (
        r"predictor\.transformer_cross_attention_layers\.(\d+)\.norm\.(\w+)",
        r"mask_decoder.decoder.layers.\1.cross_attn_layer_norm.\2",
    ),
    (
        r"predictor\.transformer_self_attention_layers\.(\d+)\.self_attn\.out_proj\.(\w+)",
        r"mask_decoder.decoder.layers.\1.self_attn.out_proj.\2",
    ),
    (
        r"predictor\.transformer_self_attention_layers\.(\d+)\.norm\.(\w+)",
        r"mask_decoder.decoder.layers.\1.self_attn_layer_norm.\2",
    ),
    (
        r"predictor\.transformer_ffn_layers\.(\d+)\.linear([12])\.(\w+)",
        r"mask_decoder.decoder.layers.\1.fc\2.\3",
    ),
    (
        r"predictor\.transformer_ffn_layers\.(\d+)\.norm\.(\w+)",
        r"mask_decoder.decoder.layers.\1.final_layer_norm.\2",
    ),
    (r"predictor\.decoder_norm\.(\w+)", r"mask_decoder.decoder.layernorm.\1"),
    (r"predictor\.(query_embed|level_embed)\.weight", r"mask_decoder.\1.weight"),
    (
        r"predictor\.mask_embed\.layers\.(\d)\.(\w+)",
        r"mask_decoder.decoder.mask_predictor.mask_embedder.\1.0.\2",
    ),
    (r"predictor\.CLASS_proj\.layers\.(\d)\.(\w+)", r"condition_heads.category.layers.\1.\2"),
    (r"predictor\.SEG_proj\.layers\.(\d)\.(\w+)", r"condition_heads.sentence.layers.\1.\2"),
    (r"predictor\.REGION_proj\.layers\.(\d)\.(\w+)", r"condition_heads.region.layers.\1.\2"),
    (r"seg_query", "seg_query"),
    (r"seg_query_projector\.(\w+)", r"seg_query_projector.\1"),
    (r"class_name_projector\.(\w+)", r"condition_projectors.category.\1"),
    (r"SEG_token_projector\.(\w+)", r"condition_projectors.sentence.\1"),
    (r"region_projector\.(\w+)", r"condition_projectors.region.\1"),
)

_QKV: tuple[tuple[str, str], ...] = (
    (
        r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)\.attn\.qkv\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2.attention.{}_proj.\3",
    ),
    (
        r"predictor\.transformer_self_attention_layers\.(\d+)\.self_attn\.in_proj_(\w+)",
        r"mask_decoder.decoder.layers.\1.self_attn.{}_proj.\2",
    ),
)

_FUSED_PHI = (
    r"model\.layers\.(\d+)\.self_attn\.query_key_value\.(\w+)",
    r"language.layers.\1.self_attn.{}_proj.\2",
)

# Official name pattern -> why it has no place in ours.
DROPPED: tuple[tuple[str, str], ...] = (
    (r".*\.relative_position_index", "recomputed from the window size, identical"),
    (r"predictor\.query_feat\.weight", "mask tokens are the queries' content"),
    (r"predictor\.SEG_query_embed\.weight", "belongs to a variant that is switched off"),
    (r"predictor\.(SEG|CLASS|REGION)_norm\..*", "belongs to a variant that is switched off"),
)


def convert_psalm(
    official: Mapping[str, Tensor], language_heads: int
) -> tuple[dict[str, Tensor], list[str]]:
    """Official tensors -> (ours, names that nothing here knows).

    language_heads: heads of Phi, to unfuse its qkv rows, which are ordered (head, 3, head_dim).
    """
    ours: dict[str, Tensor] = {}
    unknown: list[str] = []
    for name, tensor in official.items():
        converted = _convert(name, tensor, language_heads)
        if converted is None:
            unknown.append(name)
        else:
            ours.update(converted)
    return ours, unknown


def _convert(name: str, tensor: Tensor, heads: int) -> dict[str, Tensor] | None:
    """One official tensor as ours: several when split, {} when dropped, None when unknown."""
    if any(re.fullmatch(pattern, name) for pattern, _ in DROPPED):
        return {}
    for pattern, target in _RENAMES:
        if match := re.fullmatch(pattern, name):
            return {match.expand(target): tensor}
    for pattern, target in _QKV:
        if match := re.fullmatch(pattern, name):
            blocks = tensor.chunk(3)
            return {match.expand(target).format(part): blocks[i] for i, part in enumerate("qkv")}
    if match := re.fullmatch(_FUSED_PHI[0], name):
        rows = tensor.view(heads, 3, -1, *tensor.shape[1:])
        return {
            match.expand(_FUSED_PHI[1]).format(part): rows[:, i].flatten(0, 1)
            for i, part in enumerate("qkv")
        }
    return None
