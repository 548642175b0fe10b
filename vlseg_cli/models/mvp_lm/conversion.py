"""The released MVP-LM checkpoint to ours: sizes, and a rule for every tensor.

Source: MVP-LM section 10; the layout that ``xiangwentao666/MVP-LM`` saves. Swin, connector and Phi
are named as PSALM's are. The box head is stored under many names; any of them is enough.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.mask2former.conversion import (
    CONNECTOR_RULES,
    CONNECTOR_SIZES,
    encoder_rules,
    phi_rules,
    swin_rules,
)
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.official import (
    OfficialFolder,
    inspect_official,
    read_claimed_config,
)
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import Shapes, shapes_of
from vlseg_cli.weights.conversion.rules import Drop, Rename, Rule, SplitRows
from vlseg_cli.weights.conversion.sizes import (
    LAYERS,
    MASK2FORMER,
    PHI,
    PHI_STATED,
    SizeReader,
    SizeSource,
    SizeSources,
    stated,
)
from vlseg_cli.weights.conversion.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint

MODEL_TYPE = "openseed_phi"  # in config.json

_DECODER = r"predictor\.decoder\.layers\.(\d+)"
_OUR_DECODER = r"decoder.layers.\1"
# One tensor under many names; which of them a file has depends on how it was saved.
_BOX_HEAD = r"predictor\.(?:_bbox_embed|(?:decoder\.)?bbox_embed\.\d+)\.(layers\.\d\.\w+)"
_DECODER_NORM = r"predictor\.decoder[_.]norm\.(\w+)"
_UNUSED = "belongs to region prompts or to a variant that is switched off"

_PIXEL_DECODER: tuple[Rule, ...] = (
    *encoder_rules("pixel_decoder", "layers", "mlp.fc"),
    Rename(r"pixel_decoder\.adapter_1\.weight", r"pixel_decoder.lateral.0.weight"),
    Rename(r"pixel_decoder\.adapter_1\.norm\.(\w+)", r"pixel_decoder.lateral.1.\1"),
    Rename(r"pixel_decoder\.layer_1\.weight", r"pixel_decoder.output.0.weight"),
    Rename(r"pixel_decoder\.layer_1\.norm\.(\w+)", r"pixel_decoder.output.1.\1"),
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


def mvp_lm_rules(language_heads: int, vocabulary: int, official: Iterable[str]) -> tuple[Rule, ...]:
    """All rules. official: the names in the checkpoint, to take one of each tensor's."""
    names = list(official)
    return (
        *phi_rules(language_heads, vocabulary),
        *swin_rules(r"model\.vision_tower"),
        *CONNECTOR_RULES,
        *_PIXEL_DECODER,
        *_DECODER_LAYERS,
        *_CONDITIONS,
        *_first_of_many(_BOX_HEAD, "decoder.box_head.", names),
        Drop(_BOX_HEAD, "the one box head under another name"),
        *_first_of_many(_DECODER_NORM, "decoder.norm.", names),
        Drop(_DECODER_NORM, "the one decoder norm under another name"),
    )


def _first_of_many(pattern: str, target: str, names: Iterable[str]) -> Iterator[Rule]:
    """Rename each tensor of a shared module from the first name in the checkpoint."""
    taken: set[str] = set()
    for name in names:
        match = re.fullmatch(pattern, name)
        if match and match[1] not in taken:
            taken.add(match[1])
            yield Rename(re.escape(name), target + match[1])


_PER_HEAD = 4 * 4  # levels times points of all deformable attention
_DECODER_PREFIX = r"predictor\.decoder\.layers\.\d+"


def _heads(attention: str) -> tuple[SizeSource, ...]:
    """The number of heads of a deformable attention."""
    return (
        (rf"{attention}\.sampling_offsets\.\w+", 0, lambda n: n // (_PER_HEAD * 2)),
        (rf"{attention}\.attention_weights\.\w+", 0, lambda n: n // _PER_HEAD),
    )


_SHARED = ("swin_window", "pixel_channels", "mask_channels", "pixel_feedforward")
_WITNESSES: SizeSources = {
    **{size: MASK2FORMER[size] for size in _SHARED},
    **CONNECTOR_SIZES,
    **PHI,
    "pixel_heads": _heads(r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.self_attn"),
    "decoder_heads": _heads(rf"{_DECODER_PREFIX}\.cross_attn"),
    "decoder_feedforward": (
        (rf"{_DECODER_PREFIX}\.linear1\.\w+", 0, int),
        (rf"{_DECODER_PREFIX}\.linear2\.weight", 1, int),
    ),
    "stuff_queries": ((r"stuff_(query|embed)\.weight", 0, int),),
    "queries": ((r"(thing_query|thing_embed|predictor\.SEG_query_\w+)\.weight", 0, int),),
}
_LAYERS = {**LAYERS, "decoder_layers": r"predictor\.decoder\.layers\.(\d+)\..*"}


def mvp_lm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for an MVP-LM configuration; sizes that neither tensors nor config show are left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not an MVP-LM's.
    """
    reader = SizeReader("MVP-LM", shapes)
    return {
        **reader.sizes(_WITNESSES),
        **reader.counted(_LAYERS),
        **reader.swin(r"model\.vision_tower"),
        **stated(config, PHI_STATED),
    }


def open_official_mvp_lm(directory: Path) -> OfficialFolder:
    """Inspect an official folder; tensors are not read.

    Sizes that no file shows are those of the authors' code unless config.json has them in a table
    "vlseg". Raises WeightsError for a damaged folder or another model's.
    """
    config_json = read_claimed_config(directory, "MVP-LM", [MODEL_TYPE])
    tensors = read_checkpoint(directory)
    return inspect_official(
        "mvp-lm",
        directory,
        tensors,
        mvp_lm_sizes(shapes_of(tensors), config_json) | config_json.get("vlseg", {}),
        MVPLMConfig.from_dict,
        MVPLM,
        Tokenizer(official_tokenizer(directory)),
        lambda config: mvp_lm_rules(config.language_heads, config.vocabulary, tensors),
    )
