"""Official HyperSeg state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: HyperSeg sections 10 and 11; the layout of ``congvvc/HyperSeg``, whose LoRA is merged.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.mask2former.conversion import (
    CONDITIONS,
    LANGUAGE,
    MASK_DECODER,
    PIXEL_DECODER,
    swin_rules,
)
from vlseg_cli.models.official import (
    OfficialFolder,
    inspect_official,
    read_claimed_config,
)
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import Shapes, shapes_of
from vlseg_cli.weights.conversion.rules import Drop, Rename, Rule
from vlseg_cli.weights.conversion.sizes import (
    LAYERS,
    MASK2FORMER,
    PHI,
    PHI_STATED,
    SizeReader,
    SizeSources,
    stated,
)
from vlseg_cli.weights.conversion.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint

# The published config.json was not available: it may have Mipha's model type or that of LLaVA's
# Phi, which is also PSALM's; the perceiver's queries distinguish the two.
MODEL_TYPES = (MIPHA, LLAVA) = ("mipha_phi", "llava_phi")

_SIGLIP = r"model\.vision_tower\.vision_model"
_LAYERS = r"encoder\.layers\.\d+\.(?:self_attn\.\w+|mlp\.\w+|layer_norm[12])"
_EMBEDDINGS = r"embeddings\.(?:patch_embedding|position_embedding)"
_LAYER = r"mgvp_layers\.layers\.(\d+)"
_UNUSED = "belongs to a variant that is switched off"

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
        Drop(rf"{_SIGLIP}\.embeddings\.position_ids", "recomputed, identical"),
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


_SIGLIP_PREFIX = r"model\.vision_tower\.vision_model"
_PERCEIVER_PREFIX = r"mgvp_layers\.layers\.\d"
_FINE_HEADS = 8  # no tensor shows how the perceiver's inner channels are split into heads

_ENCODERS: SizeSources = {
    "clip_channels": ((rf"{_SIGLIP_PREFIX}\.encoder\.layers\.\d+\.layer_norm[12]\.\w+", 0, int),),
    "clip_feedforward": ((rf"{_SIGLIP_PREFIX}\.encoder\.layers\.\d+\.mlp\.fc1\.\w+", 0, int),),
    "clip_patch": ((rf"{_SIGLIP_PREFIX}\.embeddings\.patch_embedding\.weight", 2, int),),
    "fine_tokens": ((r"temporal_query", 0, int),),
    "fine_channels": (
        (rf"{_PERCEIVER_PREFIX}\.0\.norm_(media|latents)\.\w+", 0, int),
        (r"mgvp_layers\.norm\.\w+", 0, int),
        (r"temporal_query", 1, int),
    ),
    "fine_inner": ((rf"{_PERCEIVER_PREFIX}\.0\.to_q\.weight", 0, int),),
    "head_rows": ((r"lm_head\.weight", 0, int),),
}
# The image's last pixels may make no whole patch, so the number of patches leaves its size open.
_SIGLIP_STATED = {"clip_heads": "num_attention_heads", "clip_size": "image_size"}


def hyperseg_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a HyperSeg configuration; what neither tensors nor config contain is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not a HyperSeg's.
    """
    reader = SizeReader("HyperSeg", shapes)
    sizes = {
        **reader.sizes(MASK2FORMER),
        **reader.sizes(PHI),
        **reader.sizes(_ENCODERS),
        **reader.counted(LAYERS),
        **reader.swin(r"model\.vision_tower_mask"),
        **stated(config, PHI_STATED),
        **stated(_stated_tower(config), _SIGLIP_STATED),
    }
    layers = reader.count(rf"{_SIGLIP_PREFIX}\.encoder\.layers\.(\d+)\..*")
    return sizes | {
        "clip_layers": layers - 1,  # the output of the last one is unused
        "fine_heads": _FINE_HEADS,
        "fine_head_channels": sizes.pop("fine_inner") // _FINE_HEADS,
    }


def _stated_tower(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """SigLIP in config.json: vision_config.vision_tower, or nothing."""
    vision = config.get("vision_config")
    tower = vision.get("vision_tower") if isinstance(vision, dict) else None
    return tower if isinstance(tower, dict) else {}


def open_official_hyperseg(directory: Path) -> OfficialFolder:
    """Inspect an official folder for completeness, without reading tensor values.

    Sizes that no file of theirs contains, such as decoder_heads, are the published ones unless
    config.json has them in a table "vlseg". Raises WeightsError for a folder that is damaged or
    no HyperSeg's.
    """
    stated_config = read_claimed_config(directory, "HyperSeg", MODEL_TYPES)
    tensors = read_checkpoint(directory)
    return inspect_official(
        "hyperseg",
        directory,
        tensors,
        hyperseg_sizes(shapes_of(tensors), stated_config) | stated_config.get("vlseg", {}),
        HyperSegConfig.from_dict,
        HyperSeg,
        Tokenizer(official_tokenizer(directory)),
        lambda config: hyperseg_rules(config.clip_layers),
    )
