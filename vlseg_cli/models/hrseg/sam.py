"""SAM out of a model folder: by itself, as its authors publish it, or carried by an HRSeg.

Of an HRSeg nothing else is read: its language model is some thirty times as large.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.models.hrseg.conversion import open_official_llm_seg
from vlseg_cli.models.proposals.conversion import is_official_sam, load_official_sam
from vlseg_cli.nn.sam import SAM
from vlseg_cli.schema import UsageError
from vlseg_cli.weights.conversion.coverage import require_complete
from vlseg_cli.weights.folder import load_into, load_settings, placed
from vlseg_cli.weights.read.shards import stream_tensors
from vlseg_cli.weights.resolve import is_deepspeed

_CARRIED = "sam."  # what HRSeg calls it


def load_sam(directory: Path) -> SAM:
    """In float32 on the CPU. Raises UsageError if there is none, WeightsError if it is damaged."""
    if is_official_sam(directory):
        return load_official_sam(directory, "cpu")
    if is_deepspeed(directory):
        official = open_official_llm_seg(directory)
        require_complete(official.coverage, directory)
        names = [name for name in official.names if name.startswith(_CARRIED)]
        return _filled(HRSegConfig.from_dict(official.sizes), official.read(names), directory)
    settings = load_settings(directory)
    if settings["architecture"] == "hrseg":
        config = HRSegConfig.from_dict(settings["config"])
        if config.proposals == OWN_SAM:
            return _filled(config, stream_tensors(directory), directory)
    raise UsageError(f"{directory} has no SAM: name a SAM, or an HRSeg that was trained with one")


def _filled(config: HRSegConfig, ours: Iterable[tuple[str, Tensor]], directory: Path) -> SAM:
    sam = build_empty(lambda: SAM(config.sam_sizes))
    carried = {
        name.removeprefix(_CARRIED): placed(tensor, torch.float32)
        for name, tensor in ours
        if name.startswith(_CARRIED)
    }
    load_into(sam, carried, directory)
    return sam
