"""Rules for the tensors that PSALM, HyperSeg and MVP-LM inherited from Mask2Former's code.

Swin, the pixel decoder, the mask decoder with its scores, and the projections into it: the names
are the same in all systems but for the prefix of Swin.
"""

from vlseg_cli.weights.conversion.rules import Drop, FirstRows, Rename, Rule, SplitHeads, SplitRows
from vlseg_cli.weights.conversion.sizes import SizeSources

_SELF = r"predictor\.transformer_self_attention_layers\.(\d+)"
_CROSS = r"predictor\.transformer_cross_attention_layers\.(\d+)"
_FEEDFORWARD = r"predictor\.transformer_ffn_layers\.(\d+)"
_ENCODER = r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)"
_OUR_LAYER = r"mask_decoder.decoder.layers.\1"


def swin_rules(tower: str) -> tuple[Rule, ...]:
    """tower: pattern of Swin's prefix in the official file."""
    block = rf"{tower}\.layers\.(\d+)\.blocks\.(\d+)"
    ours = r"vision_tower.backbone.swin.encoder.layers.\1.blocks.\2"
    return (
        Rename(
            rf"{tower}\.patch_embed\.proj\.(\w+)",
            r"vision_tower.backbone.swin.embeddings.patch_embeddings.projection.\1",
        ),
        Rename(
            rf"{tower}\.patch_embed\.norm\.(\w+)",
            r"vision_tower.backbone.swin.embeddings.norm.\1",
        ),
        Rename(rf"{block}\.norm1\.(\w+)", rf"{ours}.layernorm_before.\3"),
        Rename(rf"{block}\.norm2\.(\w+)", rf"{ours}.layernorm_after.\3"),
        Rename(rf"{block}\.attn\.proj\.(\w+)", rf"{ours}.attention.o_proj.\3"),
        Rename(
            rf"{block}\.attn\.relative_position_bias_table",
            rf"{ours}.attention.relative_position_bias.relative_position_bias_table",
        ),
        Rename(rf"{block}\.mlp\.(fc[12])\.(\w+)", rf"{ours}.mlp.\3.\4"),
        Rename(
            rf"{tower}\.layers\.(\d+)\.downsample\.(reduction|norm)\.(\w+)",
            r"vision_tower.backbone.swin.encoder.layers.\1.downsample.\2.\3",
        ),
        *(
            Rename(
                rf"{tower}\.norm{stage}\.(\w+)",
                rf"vision_tower.backbone.hidden_states_norms.stage{stage + 1}.\1",
            )
            for stage in range(4)
        ),
        SplitRows(rf"{block}\.attn\.qkv\.(\w+)", rf"{ours}.attention.{{}}_proj.\3"),
        Drop(r".*\.relative_position_index", "recomputed from the window size, identical"),
    )


def encoder_rules(ours: str, layers: str, linear: str) -> tuple[Rule, ...]:
    """The deformable encoder in the pixel decoder. ours: our decoder; layers, linear: the names of
    its layers and of their feed-forward."""
    layer = rf"{ours}.{layers}.\1"
    return (
        Rename(
            r"pixel_decoder\.input_proj\.(\d)\.([01])\.(\w+)", rf"{ours}.input_projections.\1.\2.\3"
        ),
        Rename(r"pixel_decoder\.transformer\.level_embed", f"{ours}.level_embed"),
        Rename(rf"{_ENCODER}\.self_attn\.(\w+)\.(\w+)", rf"{layer}.self_attn.\2.\3"),
        Rename(rf"{_ENCODER}\.norm1\.(\w+)", rf"{layer}.self_attn_layer_norm.\2"),
        Rename(rf"{_ENCODER}\.norm2\.(\w+)", rf"{layer}.final_layer_norm.\2"),
        Rename(rf"{_ENCODER}\.linear([12])\.(\w+)", rf"{layer}.{linear}\2.\3"),
        Rename(r"pixel_decoder\.mask_features\.(\w+)", rf"{ours}.mask_projection.\1"),
    )


PIXEL_DECODER: tuple[Rule, ...] = (
    *encoder_rules("pixel_decoder.decoder", "encoder.layers", "fc"),
    Rename(r"pixel_decoder\.(adapter_1|layer_1)\.([01])\.(\w+)", r"pixel_decoder.decoder.\1.\2.\3"),
)

MASK_DECODER: tuple[Rule, ...] = (
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

CONDITIONS: tuple[Rule, ...] = (
    Rename(r"seg_query", r"seg_query"),
    Rename(r"seg_query_projector\.(\w+)", r"seg_query_projector.\1"),
    Rename(r"class_name_projector\.(\w+)", r"condition_projectors.category.\1"),
    Rename(r"SEG_token_projector\.(\w+)", r"condition_projectors.sentence.\1"),
    Rename(r"region_projector\.(\w+)", r"condition_projectors.region.\1"),
)


LANGUAGE: tuple[Rule, ...] = (
    Rename(r"model\.embed_tokens\.weight", r"language.embed_tokens.weight"),
    Rename(
        r"model\.layers\.(\d+)\.(self_attn\.dense|mlp\.fc[12]|input_layernorm)\.(weight|bias)",
        r"language.layers.\1.\2.\3",
    ),
    Rename(r"model\.final_layernorm\.(\w+)", r"language.final_layernorm.\1"),
    Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical"),
    Rename(
        r"model\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)",
        r"language.layers.\1.self_attn.\2_proj.\3",
    ),
)


def phi_rules(heads: int, vocabulary: int) -> tuple[Rule, ...]:
    """Phi with ``heads`` whose projections are fused, and the first rows of its output head."""
    return (
        SplitHeads(
            r"model\.layers\.(\d+)\.self_attn\.query_key_value\.(\w+)",
            r"language.layers.\1.self_attn.{}_proj.\2",
            heads,
        ),
        FirstRows(r"lm_head\.weight", "lm_head.weight", vocabulary),
        Drop(r"lm_head\.bias", "the output head has no bias here"),
        *LANGUAGE,
    )


PERCEIVER = "temporal_query"  # a tensor that a HyperSeg has and a PSALM has not

CONNECTOR_RULES: tuple[Rule, ...] = (
    Rename(r"model\.mm_projector\.layer1\.0\.(conv1|conv2|bn1|bn2)\.(\w+)", r"connector.\1.\2"),
    Rename(
        r"model\.mm_projector\.layer1\.0\.downsample\.([01])\.(\w+)",
        r"connector.shortcut.\1.\2",
    ),
    Rename(r"model\.mm_projector\.fc\.(\w+)", r"connector.fc.\1"),
)

CONNECTOR_SIZES: SizeSources = {
    "connector_width": ((r"model\.mm_projector\.layer1\.0\.(bn[12]|downsample\.1)\.\w+", 0, int),),
}
