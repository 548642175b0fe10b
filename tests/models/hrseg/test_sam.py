"""A standalone SAM and one taken from an HRSeg folder are equal."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from models.tiny_hrseg import SAM_SIZES, tiny_hrseg

from vlseg_cli.models.hrseg.conversion import load_sam
from vlseg_cli.schema import UsageError
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import save_folder
from vlseg_cli.weights.resolve import EMBEDDED


def test_a_sam_is_loaded_from_an_hrseg_folder(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = tiny_hrseg(tokenizer, **SAM_SIZES)
    settings = {"architecture": "hrseg", "config": asdict(model.config)}
    save_folder(tmp_path, model.state_dict(), settings, tokenizer.save, "# A card\n")
    sam = load_sam(tmp_path)
    assert sam.sizes == model.config.sam_sizes()
    for name, tensor in model.sam.state_dict().items():
        carried = sam.state_dict()[name]
        assert carried.dtype == torch.float32 and torch.equal(carried, tensor.half().float())


def test_an_hrseg_without_sam_is_rejected(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = tiny_hrseg(tokenizer)
    settings = {"architecture": "hrseg", "config": asdict(model.config)}
    save_folder(tmp_path, model.state_dict(), settings, tokenizer.save, "# A card\n")
    with pytest.raises(UsageError, match="has no SAM"):
        load_sam(tmp_path)


def test_another_system_is_rejected() -> None:
    with pytest.raises(UsageError, match="has no SAM"):
        load_sam(EMBEDDED)
