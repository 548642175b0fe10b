"""LLM-Seg's published checkpoint to ours: sizes, rules for every tensor, and the SAM in it.

Sizes are read off the tensors by majority vote, so that a wrong tensor is named by the shape check.
Numbers of heads leave no trace in most shapes: they are the published ones. A checkpoint's SAM can
be read alone: the language model beside it is some thirty times as large. Source: HRSeg section 11;
facebookresearch/dinov2.
"""

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.models.hrseg.config import LLM_SEG, OWN_SAM, HRSegConfig
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.models.official import OfficialFolder, inspect_official
from vlseg_cli.models.proposals.conversion import (
    is_official_sam,
    load_official_sam,
    sam_rules,
    sam_sizes,
)
from vlseg_cli.nn.sam import SAM
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.text.placeholders import IMAGE_END, IMAGE_START
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.conversion.coverage import Shapes, require_complete, shapes_of
from vlseg_cli.weights.conversion.lora import LORA, Merged
from vlseg_cli.weights.conversion.rules import Drop, FromConvolution, Rename, Rule, SplitRows
from vlseg_cli.weights.conversion.sizes import SizeReader, SizeSources
from vlseg_cli.weights.conversion.tokenizer import has_tokenizer, official_tokenizer
from vlseg_cli.weights.folder import load_into, placed
from vlseg_cli.weights.pins import official_folder
from vlseg_cli.weights.read.checkpoint import read_checkpoint
from vlseg_cli.weights.read.shards import stream_tensors
from vlseg_cli.weights.resolve import is_deepspeed
from vlseg_cli.weights.settings import CONFIG, load_settings, read_config

_CLIP = r"model\.vision_tower\.vision_tower\.vision_model\."
_DINO = r"model\.visual_model_dinov2\."
_FUSION = r"model\.lisa_attention_layers\.\d+\."


def _side(positions: int) -> int:
    """Patches along one side; a table of positions begins with the class token's."""
    return round(math.sqrt(max(0, positions - 1)))


_SOURCES: SizeSources = {
    "dino_width": ((rf"{_DINO}(norm|blocks\.\d+\.(norm|ls)[12])\.\w+", 0, int),),
    "dino_patch": ((rf"{_DINO}patch_embed\.proj\.weight", 3, int),),
    "channels": ((rf"{_FUSION}norm\d\.\w+", 0, int), (r"model\.lisa_norm_final_attn\.\w+", 0, int)),
    "clip_patch": ((rf"{_CLIP}embeddings\.patch_embedding\.weight", 3, int),),
    "clip_width": (
        (rf"{_CLIP}(\w+_)?layernorm\.\w+", 0, int),
        (rf"{_CLIP}.*layer_norm[12]\.\w+", 0, int),
    ),
    "clip_feedforward": (
        (rf"{_CLIP}.*\.mlp\.fc1\.\w+", 0, int),
        (rf"{_CLIP}.*\.mlp\.fc2\.weight", 1, int),
    ),
    "language_channels": ((r"model\.(norm|layers\.\d+\.\w+_layernorm)\.weight", 0, int),),
    "language_feedforward": (
        (r"model\.layers\.\d+\.mlp\.(gate|up)_proj\.weight", 0, int),
        (r"model\.layers\.\d+\.mlp\.down_proj\.weight", 1, int),
    ),
    "vocabulary": ((r"model\.embed_tokens\.weight", 0, int), (r"lm_head\.weight", 0, int)),
    "fusion_feedforward": (
        (rf"{_FUSION}mlp\.lin1\.\w+", 0, int),
        (rf"{_FUSION}mlp\.lin2\.weight", 1, int),
    ),
    "clip_image": ((rf"{_CLIP}embeddings\.position_embedding\.weight", 0, _side),),
    "dino_native": ((rf"{_DINO}pos_embed", 1, _side),),
    "embedding_head": ((r"model\.lisa_embedding_head\.0\.\w+", 0, int),),
    "iop_head": ((r"model\.lisa_iou_head\.0\.\w+", 0, int),),
}
_LAYERS = {
    "dino_layers": rf"{_DINO}blocks\.(\d+)\..*",
    "clip_layers": rf"{_CLIP}encoder\.layers\.(\d+)\..*",
    "language_layers": r"model\.layers\.(\d+)\..*",
    "fusion_layers": r"model\.lisa_attention_layers\.(\d+)\..*",
}


def llm_seg_sizes(shapes: Shapes) -> dict[str, Any]:
    """Sizes for an HRSeg configuration; sizes that no tensor shows are left out.

    shapes: of the tensors without PEFT's prefix. Raises WeightsError if they are no LLM-Seg's.
    """
    reader = SizeReader("LLM-Seg or SAM", shapes)
    sizes = {**reader.sizes(_SOURCES), **reader.counted(_LAYERS)}
    sizes["clip_image"] *= sizes["clip_patch"]
    sizes["dino_native"] *= sizes["dino_patch"]
    sam = sam_sizes(shapes, "model.visual_model.")
    return sizes | {f"sam_{size}": value for size, value in sam.items()}


def dinov2_rules(theirs: str, ours: str) -> tuple[Rule, ...]:
    """theirs, ours: prefixes of the names, as '' or 'model.visual_model_dinov2.'."""
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
    Drop(r".*\.embeddings\.position_ids", "the integers from 0, a constant"),
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


_LLAVA_WEIGHTS = "llava-lightning-7b-v1-1"
_LORA_SCALE = 16 / 8  # alpha over rank of LLM-Seg's training


def open_official_llm_seg(directory: Path) -> OfficialFolder:
    """Inspect an official folder; tensors are not read.

    Sizes that no tensor shows are the published ones unless the folder has a config.json with
    them in a table "vlseg". Raises WeightsError for a damaged folder or another model's.
    """
    stored = read_checkpoint(directory)
    plain = {name.removeprefix(PREFIX): tensor for name, tensor in stored.items()}
    return inspect_official(
        "hrseg",
        directory,
        Merged(plain, _LORA_SCALE),
        {**LLM_SEG, **llm_seg_sizes(shapes_of(plain)), **_stated_sizes(directory)},
        HRSegConfig.from_dict,
        HRSeg,
        seg_tokenizer(_tokenizer(directory)),
        lambda _: LLM_SEG_RULES,
    )


def seg_tokenizer(rust: RustTokenizer) -> Tokenizer:
    """LLaVA's tokenizer with the tokens that LLM-Seg adds, in its order."""
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    rust.add_special_tokens([AddedToken(IMAGE_START), AddedToken(IMAGE_END)])
    return Tokenizer(rust)


def _tokenizer(directory: Path) -> RustTokenizer:
    """The folder's own if there is one, else that of the LLaVA it was trained from."""
    for folder in (directory, official_folder(_LLAVA_WEIGHTS)):
        if has_tokenizer(folder):
            return official_tokenizer(folder)
    raise WeightsError(
        f"{directory} has no tokenizer: 'vlseg weights pull {_LLAVA_WEIGHTS}' fetches the one "
        "it was trained with, or put its tokenizer.model there"
    )


def _stated_sizes(directory: Path) -> dict[str, Any]:
    """Sizes that a config.json beside the checkpoint states; the authors publish none."""
    file = directory / CONFIG
    sizes = read_config(directory).get("vlseg", {}) if file.exists() else {}
    if not isinstance(sizes, dict):
        raise WeightsError(f'{file} has a "vlseg" that is not a table of sizes')
    return sizes


_SAM = "sam."


def load_sam(directory: Path) -> SAM:
    """The SAM of a model folder, alone or within an HRSeg, in float32 on the CPU.

    Raises UsageError if there is none, WeightsError if it is damaged.
    """
    if is_official_sam(directory):
        return load_official_sam(directory, "cpu")
    if is_deepspeed(directory):
        official = open_official_llm_seg(directory)
        require_complete(official.coverage, directory)
        names = [name for name in official.names if name.startswith(_SAM)]
        return _fill_sam(HRSegConfig.from_dict(official.sizes), official.read(names), directory)
    settings = load_settings(directory)
    if settings["architecture"] == "hrseg":
        config = HRSegConfig.from_dict(settings["config"])
        if config.proposals == OWN_SAM:
            return _fill_sam(config, stream_tensors(directory), directory)
    raise UsageError(f"{directory} has no SAM: name a SAM, or an HRSeg that was trained with one")


def _fill_sam(config: HRSegConfig, ours: Iterable[tuple[str, Tensor]], directory: Path) -> SAM:
    sam = build_empty(lambda: SAM(config.sam_sizes()))
    tensors = {
        name.removeprefix(_SAM): placed(tensor, torch.float32)
        for name, tensor in ours
        if name.startswith(_SAM)
    }
    load_into(sam, tensors, directory)
    return sam
