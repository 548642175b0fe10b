"""Official PSALM state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: PSALM section 11; the layout of ``zamling/PSALM`` checkpoints. Phi's projections come fused,
as released, or apart, as later versions of transformers save them.
"""

from vlseg_cli.weights.convert.rules import Drop, FirstRows, Rename, Rule, SplitHeads, SplitRows

_BLOCK = r"model\.vision_tower\.layers\.(\d+)\.blocks\.(\d+)"
_OUR_BLOCK = r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2"
_SELF = r"predictor\.transformer_self_attention_layers\.(\d+)"
_CROSS = r"predictor\.transformer_cross_attention_layers\.(\d+)"
_FEEDFORWARD = r"predictor\.transformer_ffn_layers\.(\d+)"
_ENCODER = r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)"
_OUR_ENCODER = r"pixel_decoder.decoder.encoder.layers.\1"
_OUR_LAYER = r"mask_decoder.decoder.layers.\1"

_VISION: tuple[Rule, ...] = (
    Rename(
        r"model\.vision_tower\.patch_embed\.proj\.(\w+)",
        r"vision_tower.backbone.swin.embeddings.patch_embeddings.projection.\1",
    ),
    Rename(
        r"model\.vision_tower\.patch_embed\.norm\.(\w+)",
        r"vision_tower.backbone.swin.embeddings.norm.\1",
    ),
    Rename(rf"{_BLOCK}\.norm1\.(\w+)", rf"{_OUR_BLOCK}.layernorm_before.\3"),
    Rename(rf"{_BLOCK}\.norm2\.(\w+)", rf"{_OUR_BLOCK}.layernorm_after.\3"),
    Rename(rf"{_BLOCK}\.attn\.proj\.(\w+)", rf"{_OUR_BLOCK}.attention.o_proj.\3"),
    Rename(
        rf"{_BLOCK}\.attn\.relative_position_bias_table",
        rf"{_OUR_BLOCK}.attention.relative_position_bias.relative_position_bias_table",
    ),
    Rename(rf"{_BLOCK}\.mlp\.(fc[12])\.(\w+)", rf"{_OUR_BLOCK}.mlp.\3.\4"),
    Rename(
        r"model\.vision_tower\.layers\.(\d+)\.downsample\.(reduction|norm)\.(\w+)",
        r"vision_tower.backbone.swin.encoder.layers.\1.downsample.\2.\3",
    ),
    *(
        Rename(
            rf"model\.vision_tower\.norm{stage}\.(\w+)",
            rf"vision_tower.backbone.hidden_states_norms.stage{stage + 1}.\1",
        )
        for stage in range(4)
    ),
    SplitRows(rf"{_BLOCK}\.attn\.qkv\.(\w+)", rf"{_OUR_BLOCK}.attention.{{}}_proj.\3"),
    Drop(r".*\.relative_position_index", "recomputed from the window size, identical"),
)

_LANGUAGE: tuple[Rule, ...] = (
    Rename(r"model\.embed_tokens\.weight", r"language.embed_tokens.weight"),
    Rename(
        r"model\.layers\.(\d+)\.(self_attn\.dense|mlp\.fc[12]|input_layernorm)\.(weight|bias)",
        r"language.layers.\1.\2.\3",
    ),
    Rename(r"model\.final_layernorm\.(\w+)", r"language.final_layernorm.\1"),
    Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical"),
)

_CONNECTOR: tuple[Rule, ...] = (
    Rename(r"model\.mm_projector\.layer1\.0\.(conv1|conv2|bn1|bn2)\.(\w+)", r"connector.\1.\2"),
    Rename(
        r"model\.mm_projector\.layer1\.0\.downsample\.([01])\.(\w+)",
        r"connector.shortcut.\1.\2",
    ),
    Rename(r"model\.mm_projector\.fc\.(\w+)", r"connector.fc.\1"),
)

_PIXEL_DECODER: tuple[Rule, ...] = (
    Rename(
        r"pixel_decoder\.input_proj\.(\d)\.([01])\.(\w+)",
        r"pixel_decoder.decoder.input_projections.\1.\2.\3",
    ),
    Rename(r"pixel_decoder\.transformer\.level_embed", r"pixel_decoder.decoder.level_embed"),
    Rename(rf"{_ENCODER}\.self_attn\.(\w+)\.(\w+)", rf"{_OUR_ENCODER}.self_attn.\2.\3"),
    Rename(rf"{_ENCODER}\.norm1\.(\w+)", rf"{_OUR_ENCODER}.self_attn_layer_norm.\2"),
    Rename(rf"{_ENCODER}\.norm2\.(\w+)", rf"{_OUR_ENCODER}.final_layer_norm.\2"),
    Rename(rf"{_ENCODER}\.linear([12])\.(\w+)", rf"{_OUR_ENCODER}.fc\2.\3"),
    Rename(r"pixel_decoder\.mask_features\.(\w+)", r"pixel_decoder.decoder.mask_projection.\1"),
    Rename(r"pixel_decoder\.(adapter_1|layer_1)\.([01])\.(\w+)", r"pixel_decoder.decoder.\1.\2.\3"),
)

_MASK_DECODER: tuple[Rule, ...] = (
    Rename(rf"{_CROSS}\.multihead_attn\.(.+)", rf"{_OUR_LAYER}.cross_attn.\2"),
    Rename(rf"{_CROSS}\.norm\.(\w+)", rf"{_OUR_LAYER}.cross_attn_layer_norm.\2"),
    Rename(rf"{_SELF}\.self_attn\.out_proj\.(\w+)", rf"{_OUR_LAYER}.self_attn.out_proj.\2"),
    Rename(rf"{_SELF}\.norm\.(\w+)", rf"{_OUR_LAYER}.self_attn_layer_norm.\2"),
    Rename(rf"{_FEEDFORWARD}\.linear([12])\.(\w+)", rf"{_OUR_LAYER}.fc\2.\3"),
    Rename(rf"{_FEEDFORWARD}\.norm\.(\w+)", rf"{_OUR_LAYER}.final_layer_norm.\2"),
    Rename(r"predictor\.decoder_norm\.(\w+)", r"mask_decoder.decoder.layernorm.\1"),
    Rename(r"predictor\.(query_embed|level_embed)\.weight", r"mask_decoder.\1.weight"),
    Rename(
        r"predictor\.mask_embed\.layers\.(\d)\.(\w+)",
        r"mask_decoder.decoder.mask_predictor.mask_embedder.\1.0.\2",
    ),
    Rename(r"predictor\.CLASS_proj\.layers\.(\d)\.(\w+)", r"condition_heads.category.layers.\1.\2"),
    Rename(r"predictor\.SEG_proj\.layers\.(\d)\.(\w+)", r"condition_heads.sentence.layers.\1.\2"),
    Rename(r"predictor\.REGION_proj\.layers\.(\d)\.(\w+)", r"condition_heads.region.layers.\1.\2"),
    SplitRows(rf"{_SELF}\.self_attn\.in_proj_(\w+)", rf"{_OUR_LAYER}.self_attn.{{}}_proj.\2"),
    Drop(r"predictor\.query_feat\.weight", "mask tokens are the queries' content"),
    Drop(r"predictor\.SEG_query_embed\.weight", "belongs to a variant that is switched off"),
    Drop(r"predictor\.(SEG|CLASS|REGION)_norm\..*", "belongs to a variant that is switched off"),
)

_CONDITIONS: tuple[Rule, ...] = (
    Rename(r"seg_query", r"seg_query"),
    Rename(r"seg_query_projector\.(\w+)", r"seg_query_projector.\1"),
    Rename(r"class_name_projector\.(\w+)", r"condition_projectors.category.\1"),
    Rename(r"SEG_token_projector\.(\w+)", r"condition_projectors.sentence.\1"),
    Rename(r"region_projector\.(\w+)", r"condition_projectors.region.\1"),
)


def see_and_read_rules(language_heads: int, vocabulary: int) -> tuple[Rule, ...]:
    """Swin, connector and Phi, which the systems built on PSALM's code name alike."""
    attention = r"model\.layers\.(\d+)\.self_attn"
    ours = r"language.layers.\1.self_attn"
    return (
        SplitHeads(
            rf"{attention}\.query_key_value\.(\w+)", rf"{ours}.{{}}_proj.\2", language_heads
        ),
        Rename(rf"{attention}\.([qkv])_proj\.(\w+)", rf"{ours}.\2_proj.\3"),
        FirstRows(r"lm_head\.weight", "lm_head.weight", vocabulary),
        Drop(r"lm_head\.bias", "the output head has no bias"),
        *_LANGUAGE,
        *_VISION,
        *_CONNECTOR,
    )


def psalm_rules(language_heads: int, vocabulary: int) -> tuple[Rule, ...]:
    """The whole table, for a Phi of so many heads and an embedding of so many rows."""
    return (
        *see_and_read_rules(language_heads, vocabulary),
        *_PIXEL_DECODER,
        *_MASK_DECODER,
        *_CONDITIONS,
    )
