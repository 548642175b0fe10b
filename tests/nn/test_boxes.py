"""Boxes: corners and centers, overlap, positions, and back to pixels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.boxes import (
    box_logits,
    boxes_to_pixels,
    cxcywh_to_xyxy,
    generalized_iou,
    sine_position,
    xyxy_to_cxcywh,
)
from vlseg_cli.nn.postprocessing import ImageGeometry

SHARES = st.floats(0.05, 0.95)
BOXES = st.tuples(SHARES, SHARES, SHARES, SHARES)


@settings(max_examples=30, deadline=None)
@given(BOXES)
def test_box_conversions_are_inverse(box: tuple[float, ...]) -> None:
    boxes = torch.tensor([box], dtype=torch.float64)
    assert torch.allclose(xyxy_to_cxcywh(cxcywh_to_xyxy(boxes)), boxes)
    assert torch.allclose(box_logits(boxes).sigmoid(), boxes)


def test_generalized_iou_by_hand() -> None:
    one = torch.tensor([[0.0, 0.0, 0.4, 0.4]])
    others = torch.tensor([[0.0, 0.0, 0.4, 0.4], [0.2, 0.0, 0.6, 0.4], [0.6, 0.6, 1.0, 1.0]])
    found = generalized_iou(one.unsqueeze(1), others.unsqueeze(0))[0]
    expected = [1.0, 0.08 / 0.24, -(1 - 0.32) / 1.0]
    assert found.tolist() == pytest.approx(expected, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(BOXES, BOXES)
def test_generalized_iou_is_symmetric_and_bounded(
    one: tuple[float, ...], other: tuple[float, ...]
) -> None:
    a, b = cxcywh_to_xyxy(torch.tensor([one])), cxcywh_to_xyxy(torch.tensor([other]))
    assert torch.allclose(generalized_iou(a, b), generalized_iou(b, a))
    assert -1 <= generalized_iou(a, b).item() <= generalized_iou(a, a).item() + 1e-5


def test_positions_are_waves_of_y_x_w_h() -> None:
    box = torch.tensor([0.1, 0.2, 0.3, 0.4])  # cx, cy, w, h
    position = sine_position(box, 8)
    expected = []
    for value in (0.2, 0.1, 0.3, 0.4):
        for power in (0, 0.5):
            angle = value * 2 * math.pi / 10000**power
            expected += [math.sin(angle), math.cos(angle)]
    assert position.tolist() == pytest.approx(expected, abs=1e-6)


def test_boxes_are_converted_to_pixels_of_the_original_image() -> None:
    """Padded to 100 x 200, content 50 x 200, original 500 x 2000; far boxes are not cut off."""
    canvas = ImageGeometry((100, 200), (50, 200), (500, 2000))
    boxes = boxes_to_pixels(torch.tensor([[0.5, 0.25, 1.0, 0.5], [0.0, 0.9, 0.2, 0.2]]), canvas)
    assert boxes[0].tolist() == pytest.approx([0, 0, 2000, 500], abs=1e-3)
    assert boxes[1].tolist() == pytest.approx([-200, 800, 200, 1000], abs=1e-2)
