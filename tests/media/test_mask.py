"""Mask files given as prompts mean what they show, however they were saved."""

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.media.mask import read_mask
from vlseg_cli.schema import InputError

MASK = np.zeros((6, 8), bool)
MASK[2:5, 1:4] = True


@pytest.mark.parametrize("mode", ["1", "L", "L01", "P", "RGB", "I;16", "RGBA"])
def test_marked_pixels_are_found_in_every_mode(tmp_path, mode: str) -> None:
    image = Image.fromarray(MASK.astype(np.uint8) * (1 if mode in ("L01", "P") else 255))
    if mode == "P":
        image = Image.fromarray(np.asarray(image) * np.uint8(2))
        image.putpalette([0, 0, 0, 0, 0, 0, 1, 1, 1])
    elif mode == "I;16":
        image = Image.fromarray(MASK.astype(np.uint16) * 60_000)
    elif mode != "L01":
        image = image.convert(mode)
    image.save(tmp_path / "mask.png")
    assert np.array_equal(read_mask(tmp_path / "mask.png", 6, 8), MASK)


def test_an_empty_mask_marks_nothing(tmp_path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png", 6, 8).any()


def test_another_size_is_an_error_with_both_sizes(tmp_path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"8 x 6 px but the picture is 9 x 6"):
        read_mask(tmp_path / "mask.png", 6, 9)
