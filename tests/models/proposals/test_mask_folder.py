"""Proposals from mask files named after the image."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.models.proposals.mask_folder import MaskFolder
from vlseg_cli.models.registry import open_proposer
from vlseg_cli.schema import Frame, InputError, decode_rle, encode_rle

FRAME = Frame(np.zeros((6, 9, 3), np.uint8), "photos/kitchen.jpg")


def example_mask() -> np.ndarray:
    mask = np.zeros((6, 9), bool)
    mask[1:3, 2:7] = True
    return mask


def test_png_masks_are_read(tmp_path: Path) -> None:
    (tmp_path / "kitchen").mkdir()
    for number, mask in enumerate((example_mask(), ~example_mask(), np.zeros((6, 9), bool))):
        Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "kitchen" / f"{number}.png")
    proposals = open_proposer(str(tmp_path), "cpu").propose(FRAME)
    assert [decode_rle(rle).tolist() for rle in proposals.masks] == [
        example_mask().tolist(),
        (~example_mask()).tolist(),
    ]


def test_a_json_list_of_run_length_masks_is_read(tmp_path: Path) -> None:
    entries = [{"segmentation": encode_rle(example_mask()), "predicted_iou": 0.5, "area": 10}]
    (tmp_path / "kitchen.json").write_text(json.dumps(entries))
    proposals = MaskFolder(tmp_path).propose(FRAME)
    assert proposals.scores == (0.5,) and (proposals.height, proposals.width) == (6, 9)
    (tmp_path / "kitchen.json").write_text("{}x")
    with pytest.raises(InputError, match="not a list of run-length masks"):
        MaskFolder(tmp_path).propose(FRAME)


def test_images_without_masks_and_videos_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no masks for photos/kitchen\.jpg"):
        MaskFolder(tmp_path).propose(FRAME)
    with pytest.raises(InputError, match="is a video"):
        MaskFolder(tmp_path).propose(Frame(FRAME.pixels, "kitchen.mp4", 0, 0.0))


def test_the_key_changes_with_the_files(tmp_path: Path) -> None:
    before = MaskFolder(tmp_path).key
    (tmp_path / "kitchen.json").write_text("[]")
    assert MaskFolder(tmp_path).key != before
