"""Tiny HRSegs with random weights, with either language model, and proposals for them."""

from typing import Any

import numpy as np
import torch

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.models.proposals.base import (
    ProposalOptions,
    Proposals,
    proposals_of,
)
from vlseg_cli.models.registry import open_proposer
from vlseg_cli.nn.sam import SAM
from vlseg_cli.schema import Frame
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.digest import default_cache_folder

SIZES: dict[str, Any] = {
    "view": 28,
    "dino_native": 42,
    "dino_width": 16,
    "dino_layers": 2,
    "dino_heads": 2,
    "channels": 16,
    "mask_size": 32,
    "proposals": "embedded",
    "clip_image": 28,
    "clip_width": 16,
    "clip_layers": 2,
    "clip_heads": 2,
    "clip_feedforward": 16,
    "language_channels": 24,
    "language_layers": 2,
    "language_heads": 2,
    "language_feedforward": 32,
    "prompt_style": "plain",
    "fusion_heads": 2,
    "fusion_feedforward": 32,
    "embedding_head": 32,
    "iop_head": 8,
    "top": 3,
    "iop": 0.5,
}
SAM_SIZES: dict[str, Any] = {
    "proposals": "sam",
    "sam_image": 64,
    "sam_width": 16,
    "sam_layers": 2,
    "sam_heads": 2,
    "sam_window": 2,
    "sam_global": (1,),
    "sam_channels": 16,
    "sam_decoder_feedforward": 32,
    "sam_decoder_heads": 2,
}


def make_sure(sam: SAM) -> SAM:
    """Give a SAM random numbers with which it proposes something: steep masks, hopeful scores."""
    generator = torch.Generator().manual_seed(7)
    decoder = sam.model.mask_decoder
    with torch.no_grad():
        for parameter in sam.parameters():
            parameter.normal_(std=0.5, generator=generator)
        for head in decoder.output_hypernetworks_mlps:
            head.proj_out.weight.mul_(100)
        decoder.iou_prediction_head.proj_out.bias.fill_(0.9)
        decoder.iou_prediction_head.proj_out.weight.mul_(0.2)
    return sam.eval()


def tiny_config(tokenizer: Tokenizer, **others: Any) -> HRSegConfig:
    """The sizes above but for what is given."""
    return HRSegConfig.from_dict({**SIZES, "vocabulary": len(tokenizer), **others})


def tiny_hrseg(tokenizer: Tokenizer, **others: Any) -> HRSeg:
    """Random weights, always the same."""
    torch.manual_seed(7)
    return HRSeg(tiny_config(tokenizer, **others)).eval()


class Quarters:
    """Proposes the quarters of a picture and its upper half; counts how often it was asked."""

    key = "quarters"

    def __init__(self) -> None:
        self.asked = 0

    def propose(self, frame: Frame) -> Proposals:
        self.asked += 1
        masks = np.zeros((5, frame.height, frame.width), bool)
        h, w = frame.height // 2, frame.width // 2
        masks[0, :h, :w] = masks[1, :h, w:] = masks[2, h:, :w] = masks[3, h:, w:] = True
        masks[4, :h] = True
        return proposals_of(list(masks), [0.9] * 5, frame.height, frame.width)


def tiny_segmenter(tokenizer: Tokenizer, **others: Any) -> HRSegSegmenter:
    """It chooses among quarters."""
    segmenter = HRSegSegmenter("tiny", tiny_hrseg(tokenizer, **others), tokenizer, "digest")
    segmenter.choose_proposals(ProposalOptions(cache=default_cache_folder()), open_proposer)
    segmenter.proposer = Quarters()
    return segmenter
