"""SAM on a grid of points, with a stub engine whose objects are known."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.models.proposals.sam import SAMProposer, rescale_box
from vlseg_cli.schema import Frame, decode_rle


class Squares:
    """A point inside a bright square returns its mask and two of low IoU."""

    name, image_size = "squares", 64

    def __init__(self) -> None:
        self.encoded, self.batches = 0, 0

    def encode_image(self, pixels: Tensor) -> Tensor:
        self.encoded += 1
        return (pixels[0, 0] > 0.5).float()

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        self.batches += 1
        logits = torch.full((len(points), 3, 64, 64), -9.0)
        iou = torch.zeros(len(points), 3)
        half = (torch.arange(64) < 32).expand(64, 64)
        for index, (x, y) in enumerate(points.long().tolist()):
            if features[y, x]:
                side = half if x < 32 else ~half
                logits[index, 0][(features > 0) & side] = 9
                iou[index, 0] = 0.9 + 0.001 * (x % 8)
        return logits, iou


def two_squares(height: int, width: int) -> Frame:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 4 : height // 2, width // 8 : width // 4] = 255
    pixels[height // 2 : 3 * height // 4, 5 * width // 8 : 7 * width // 8] = 255
    return Frame(pixels, "two squares")


def test_each_square_is_found_once() -> None:
    engine, frame = Squares(), two_squares(96, 192)
    proposals = SAMProposer(engine, "key", per_side=16).propose(frame)
    assert (engine.encoded, engine.batches) == (1, 4)
    assert (proposals.height, proposals.width) == (96, 192)
    truth = [
        frame.pixels[..., 0] * (np.arange(192) < 96),
        frame.pixels[..., 0] * (np.arange(192) >= 96),
    ]
    assert len(proposals.masks) == 2
    found = sorted(
        (decode_rle(rle) for rle in proposals.masks), key=lambda m: np.nonzero(m)[1].min()
    )
    for mask, wanted in zip(found, truth, strict=True):
        assert (mask & (wanted > 0)).sum() > 0.8 * (mask | (wanted > 0)).sum()
    assert list(proposals.scores) == sorted(proposals.scores, reverse=True)
    largest = proposals.largest(1)
    assert largest.shape == (1, 96, 192) and largest[0].sum() == max(m.sum() for m in found)


def test_a_black_image_has_no_proposals() -> None:
    frame = Frame(np.zeros((40, 30, 3), np.uint8), "dark")
    proposals = SAMProposer(Squares(), "key", per_side=4).propose(frame)
    assert proposals.masks == () and proposals.largest(50).shape == (0, 40, 30)


def test_large_images_are_downscaled_to_truncated_sizes() -> None:
    assert rescale_box(np.zeros((1024, 700, 3), np.uint8)).shape == (1024, 700, 3)
    assert rescale_box(np.zeros((3000, 1999, 3), np.uint8)).shape == (1024, 682, 3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([2, 3]))
def test_downscaling_averages_areas(seed: int, times: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 1024 * times, 3)).astype(np.uint8)
    means = pixels.reshape(6 // times, times, 1024, times, 3).mean((1, 3))
    assert np.abs(rescale_box(pixels) - means).max() <= 0.5 + 1e-6
