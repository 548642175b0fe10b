"""Tiny SELF1Es with random weights, in float64: sums in another order cannot move a mask's edge, so
'the same answer' can be asked for exactly."""

from functools import lru_cache
from typing import Any

import torch
from torch import nn

from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.models.self1e.prompts import SELF1EPrompts, self1e_tokenizer
from vlseg_cli.models.self1e.segmenter import SELF1ESegmenter
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import Tokenizer

SIZES: dict[str, Any] = {
    "image_size": 40,
    "patch_size": 4,  # 10 x 10 patches, 5 x 5 tokens
    "vision_channels": 24,
    "vision_layers": 2,
    "vision_heads": 2,
    "vision_feedforward": 32,
    "language_channels": 24,
    "language_layers": 3,
    "language_heads": 3,
    "language_kv_heads": 1,
    "language_head_channels": 10,
    "language_feedforward": 40,
    "positions": 512,
    "max_new_tokens": 6,
}


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    return self1e_tokenizer(words())


def tiny(**changes: Any) -> SELF1E:
    """Random weights large enough that answers differ."""
    torch.manual_seed(3)
    sizes = {**SIZES, "vocabulary": len(tokenizer()), **changes}
    model = SELF1E(SELF1EConfig.from_dict(sizes)).double().eval()
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1 and "position" not in name:
            nn.init.normal_(parameter, std=0.3)
    return model


def prompts_of(model: SELF1E) -> SELF1EPrompts:
    return SELF1EPrompts(tokenizer(), model.config.prompt_style, model.config.image_tokens)


def segmenter_of(model: SELF1E) -> SELF1ESegmenter:
    return SELF1ESegmenter("tiny", model, tokenizer(), NAMES, STUFF)
