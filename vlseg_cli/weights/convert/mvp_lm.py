"""Official MVP-LM state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: MVP-LM section 10; the layout that ``xiangwentao666/MVP-LM`` saves. Swin, connector and Phi
are named as PSALM's are. The box head is stored under many names; any of them will do.
"""

from vlseg_cli.weights.convert.psalm import see_and_read_rules
from vlseg_cli.weights.convert.rules import Drop, Rename, Rule, SplitRows

_ENCODER = r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)"
_OUR_ENCODER = r"pixel_decoder.layers.\1"
_DECODER = r"predictor\.decoder\.layers\.(\d+)"
_OUR_DECODER = r"decoder.layers.\1"
# First the name that belongs to no layer; which of them a file has depends on how it was saved.
BOX_HEADS = (
    r"predictor\._bbox_embed",
    r"predictor\.bbox_embed\.0",
    r"predictor\.decoder\.bbox_embed\.0",
)
DECODER_NORMS = (r"predictor\.decoder_norm", r"predictor\.decoder\.norm")
_UNUSED = "belongs to region prompts or to a variant that is switched off"

_PIXEL_DECODER: tuple[Rule, ...] = (
    Rename(
        r"pixel_decoder\.input_proj\.(\d)\.([01])\.(\w+)",
        r"pixel_decoder.input_projections.\1.\2.\3",
    ),
    Rename(r"pixel_decoder\.transformer\.level_embed", r"pixel_decoder.level_embed"),
    Rename(rf"{_ENCODER}\.self_attn\.(\w+)\.(\w+)", rf"{_OUR_ENCODER}.self_attn.\2.\3"),
    Rename(rf"{_ENCODER}\.norm1\.(\w+)", rf"{_OUR_ENCODER}.self_attn_layer_norm.\2"),
    Rename(rf"{_ENCODER}\.norm2\.(\w+)", rf"{_OUR_ENCODER}.final_layer_norm.\2"),
    Rename(rf"{_ENCODER}\.linear([12])\.(\w+)", rf"{_OUR_ENCODER}.mlp.fc\2.\3"),
    Rename(r"pixel_decoder\.adapter_1\.weight", r"pixel_decoder.lateral.0.weight"),
    Rename(r"pixel_decoder\.adapter_1\.norm\.(\w+)", r"pixel_decoder.lateral.1.\1"),
    Rename(r"pixel_decoder\.layer_1\.weight", r"pixel_decoder.output.0.weight"),
    Rename(r"pixel_decoder\.layer_1\.norm\.(\w+)", r"pixel_decoder.output.1.\1"),
    Rename(r"pixel_decoder\.mask_features\.(\w+)", r"pixel_decoder.mask_projection.\1"),
)

_DECODER_LAYERS: tuple[Rule, ...] = (
    Rename(rf"{_DECODER}\.cross_attn\.(\w+)\.(\w+)", rf"{_OUR_DECODER}.encoder_attn.\2.\3"),
    SplitRows(rf"{_DECODER}\.self_attn\.in_proj_(\w+)", rf"{_OUR_DECODER}.self_attn.{{}}_proj.\2"),
    Rename(rf"{_DECODER}\.self_attn\.out_proj\.(\w+)", rf"{_OUR_DECODER}.self_attn.o_proj.\2"),
    Rename(rf"{_DECODER}\.norm1\.(\w+)", rf"{_OUR_DECODER}.encoder_attn_layer_norm.\2"),
    Rename(rf"{_DECODER}\.norm2\.(\w+)", rf"{_OUR_DECODER}.self_attn_layer_norm.\2"),
    Rename(rf"{_DECODER}\.norm3\.(\w+)", rf"{_OUR_DECODER}.final_layer_norm.\2"),
    Rename(rf"{_DECODER}\.linear([12])\.(\w+)", rf"{_OUR_DECODER}.mlp.fc\2.\3"),
    Rename(r"predictor\.decoder\.ref_point_head\.layers\.0\.(\w+)", r"decoder.position.0.\1"),
    Rename(r"predictor\.decoder\.ref_point_head\.layers\.1\.(\w+)", r"decoder.position.2.\1"),
    Rename(r"predictor\.enc_output\.(\w+)", r"selection.project.\1"),
    Rename(r"predictor\.enc_output_norm\.(\w+)", r"selection.norm.\1"),
    Rename(r"predictor\.mask_embed\.layers\.(\d)\.(\w+)", r"mask_head.layers.\1.\2"),
)

_CONDITIONS: tuple[Rule, ...] = (
    Rename(r"predictor\.CLASS_proj\.layers\.(\d)\.(\w+)", r"condition_heads.category.layers.\1.\2"),
    Rename(r"predictor\.SEG_proj\.layers\.(\d)\.(\w+)", r"condition_heads.sentence.layers.\1.\2"),
    Rename(r"class_name_projector\.(\w+)", r"condition_projectors.category.\1"),
    Rename(r"SEG_token_projector\.(\w+)", r"condition_projectors.sentence.\1"),
    Rename(r"stuff_query\.weight", r"stuff_query.weight"),
    Rename(r"stuff_embed\.weight", r"stuff_box.weight"),
    Drop(r"(thing_query|thing_embed)\.weight", _UNUSED),
    Drop(r"predictor\.(SEG_query_feat|SEG_query_embed)\.weight", _UNUSED),
    Drop(r"predictor\.REGION_proj\..*", _UNUSED),
    Drop(r"(region_projector|seg_query_projector|expanded_seg_query_project)\.\w+", _UNUSED),
)


def mvp_lm_rules(
    language_heads: int,
    vocabulary: int,
    box_head: str = BOX_HEADS[0],
    decoder_norm: str = DECODER_NORMS[0],
) -> tuple[Rule, ...]:
    """The whole table. box_head, decoder_norm: under which of their names they are taken."""
    return (
        *see_and_read_rules(language_heads, vocabulary),
        *_PIXEL_DECODER,
        *_DECODER_LAYERS,
        *_CONDITIONS,
        Rename(rf"{box_head}\.layers\.(\d)\.(\w+)", r"decoder.box_head.layers.\1.\2"),
        Drop(r"predictor\.(decoder\.)?_?bbox_embed\..*", "the one box head under another name"),
        Rename(rf"{decoder_norm}\.(\w+)", r"decoder.norm.\1"),
        Drop(r"predictor\.decoder(_|\.)norm\.\w+", "the one decoder norm under another name"),
    )
