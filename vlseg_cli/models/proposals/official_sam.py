"""SAM as its authors publish it, a single ``.pth``."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vlseg_cli.models.empty import build_empty
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import cover, require_complete
from vlseg_cli.weights.convert.hrseg_sizes import sam_sizes
from vlseg_cli.weights.convert.rules import convert
from vlseg_cli.weights.convert.sam import sam_rules
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.read.checkpoint import read_checkpoint

_DECODER_HEADS = 8  # no tensor tells; the same in all published sizes


def is_official_sam(directory: Path) -> bool:
    """Whether a folder holds SAM's checkpoint, by the name that its authors give it."""
    return any(directory.glob("sam_vit_*.pth"))


def official_sam_sizes(tensors: Mapping[str, Tensor], decoder_heads: int) -> SAMSizes:
    """Read off the tensors' shapes. Raises WeightsError if they are no SAM's."""
    told = sam_sizes({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    return SAMSizes(whole=tuple(told.pop("global")), **told, decoder_heads=decoder_heads)


def load_official_sam(
    directory: Path,
    device: str,
    dtype: torch.dtype = torch.float32,
    decoder_heads: int = _DECODER_HEADS,
) -> SAM:
    """Read and convert. Raises WeightsError naming every tensor that does not fit."""
    tensors = read_checkpoint(directory)
    sizes, rules = official_sam_sizes(tensors, decoder_heads), sam_rules("", "model.")
    try:
        model = build_empty(lambda: SAM(sizes))
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"no SAM can have all the sizes of {directory}") from error
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    require_complete(cover(rules, tensors, own), directory)
    converted = {k: v for name, t in tensors.items() for k, v in convert(rules, name, t).items()}
    load_into(model, {name: t.to(device, dtype) for name, t in converted.items()}, directory)
    return model
