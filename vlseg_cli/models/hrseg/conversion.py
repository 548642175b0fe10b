"""DINOv2 as torch-hub names it to ours, which is transformers' inside a module.

Source: HRSeg section 11; facebookresearch/dinov2.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer

from vlseg_cli.models.hrseg.config import LLM_SEG, HRSegConfig
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.models.hrseg.sizes import llm_seg_sizes
from vlseg_cli.models.official import (
    OfficialFolder,
    Shapes,
    check_vocabulary,
    inspect_official,
    own_shapes,
    read_config,
)
from vlseg_cli.models.proposals.conversion import sam_rules
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import IMAGE_END, IMAGE_START
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.conversion.lora import LORA, Merged
from vlseg_cli.weights.conversion.rules import Drop, FromConvolution, Rename, Rule, SplitRows
from vlseg_cli.weights.conversion.tokenizer import has_tokenizer, official_tokenizer
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.pins import official_folder
from vlseg_cli.weights.read.checkpoint import read_checkpoint


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


_LLAVA_WEIGHTS = "llava-lightning-7b-v1-1"
_LORA_SCALE = 16 / 8  # alpha over rank of LLM-Seg's training


def open_official_llm_seg(directory: Path) -> OfficialFolder:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no tensor tells are the published ones unless the folder has a config.json with
    them in a table "vlseg". Raises WeightsError for a folder that is damaged or no LLM-Seg's.
    """
    stored = read_checkpoint(directory)
    plain = {name.removeprefix(PREFIX): tensor for name, tensor in stored.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in plain.items()}
    sizes = {**LLM_SEG, **llm_seg_sizes(shapes), **_size(directory)}
    config, own = _sized(sizes, directory)
    tokenizer = seg_tokenizer(_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    tensors = Merged(plain, _LORA_SCALE)
    return inspect_official("hrseg", sizes, tokenizer, tensors, LLM_SEG_RULES, own)


def seg_tokenizer(rust: RustTokenizer) -> Tokenizer:
    """LLaVA's tokenizer with what LLM-Seg adds, in its order; what is there already stays."""
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    rust.add_special_tokens([AddedToken(IMAGE_START), AddedToken(IMAGE_END)])
    return Tokenizer(rust)


def _tokenizer(directory: Path) -> RustTokenizer:
    """The folder's own, if one was put there, else that of the LLaVA it was trained from."""
    for place in (directory, official_folder(_LLAVA_WEIGHTS)):
        if has_tokenizer(place):
            return official_tokenizer(place)
    raise WeightsError(
        f"{directory} has no tokenizer: 'vlseg weights pull {_LLAVA_WEIGHTS}' fetches the one "
        "it was trained with, or put its tokenizer.model there"
    )


def _sized(sizes: Mapping[str, Any], directory: Path) -> tuple[HRSegConfig, Shapes]:
    """The configuration, and every shape of ours that follows from it."""
    try:
        config = HRSegConfig.from_dict(sizes)
        return config, own_shapes(lambda: HRSeg(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no LLM-Seg can have all the sizes of {directory}") from error


def _size(directory: Path) -> dict[str, Any]:
    """Sizes that a config.json beside the checkpoint states; the authors publish none."""
    file = directory / CONFIG
    told = read_config(directory).get("vlseg", {}) if file.is_file() else {}
    if not isinstance(told, dict):
        raise WeightsError(f'{file} has a "vlseg" that is no table of sizes')
    return told
