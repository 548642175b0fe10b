"""Tiny MVP-LMs with random weights, as the released code and as the paper has them."""

from typing import Any

import torch
from torch import nn

from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.mvp_lm.prompts import SUMMARY
from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import Tokenizer, miniature_tokenizer

SIZES: dict[str, Any] = {
    "image_size": 64,
    "swin_embed": 8,
    "swin_depths": (1, 1, 1, 1),
    "swin_heads": (1, 1, 2, 2),
    "swin_window": 2,
    "swin_drop_path": 0.0,
    "connector_width": 16,
    "connector_stride": 1,
    "pixel_channels": 64,
    "mask_channels": 16,
    "pixel_layers": 1,
    "pixel_heads": 2,
    "pixel_feedforward": 16,
    "language_channels": 24,
    "language_layers": 2,
    "language_heads": 2,
    "language_feedforward": 32,
    "positions": 512,
    "queries": 6,
    "stuff_queries": 4,
    "decoder_layers": 2,
    "decoder_heads": 2,
    "decoder_feedforward": 16,
    "caption_tokens": 5,
}


def tokenizer_with_summary() -> Tokenizer:
    """The drawn world's words and ``<PER>``."""
    tokenizer = miniature_tokenizer(words())
    tokenizer.rust.add_special_tokens([SUMMARY])
    return tokenizer


def random_model(tokenizer: Tokenizer, **changes: Any) -> MVPLM:
    """float64 numbers large enough that answers differ; not to be trained."""
    torch.manual_seed(5)
    sizes = {**SIZES, "prompt_style": "plain", **changes, "vocabulary": len(tokenizer)}
    model = MVPLM(MVPLMConfig.from_dict(sizes)).double().eval()
    for module in (*model.condition_projectors.values(), *model.decoder.box_head.layers):
        nn.init.normal_(module.weight, std=0.5)
    if model.config.summary_token is not None:
        nn.init.normal_(model.base_query[-1].weight, std=0.5)
    return model


def segmenter_of(tokenizer: Tokenizer, **changes: Any) -> MVPLMSegmenter:
    """Ready to answer; frames become float64 on the way."""
    model = random_model(tokenizer, **changes)
    model.vision_tower.register_forward_pre_hook(lambda _, pixels: (pixels[0].double(),))
    return MVPLMSegmenter("tiny", model, tokenizer, NAMES, STUFF)
