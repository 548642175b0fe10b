"""IoU, SimOTA assignment, and the contrastive loss."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.nn.boxes import box_iou, cxcywh_to_xyxy
from vlseg_cli.nn.reid import instance_contrast, simota_assign

SIDE = st.floats(0.05, 0.4)
BOXES = st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), min_size=1, max_size=6).map(torch.tensor)


@settings(max_examples=25, deadline=None)
@given(BOXES, BOXES)
def test_iou_is_symmetric_and_bounded(first: torch.Tensor, second: torch.Tensor) -> None:
    iou, giou = box_iou(first, second)
    back, _ = box_iou(second, first)
    assert iou.allclose(back.T) and (iou >= 0).all() and (iou <= 1 + 1e-6).all()
    assert (giou <= iou + 1e-6).all() and (giou >= -1).all()
    assert box_iou(first, first)[0].diagonal().allclose(torch.ones(len(first)))


def test_iou_by_hand() -> None:
    a, b = torch.tensor([[0.25, 0.5, 0.5, 1.0]]), torch.tensor([[0.5, 0.5, 0.5, 1.0]])
    iou, giou = box_iou(a, b)
    assert iou.allclose(torch.tensor([[1 / 3]])) and giou.allclose(iou)
    far = torch.tensor([[0.875, 0.5, 0.25, 1.0]])
    iou, giou = box_iou(a, far)
    assert iou.item() == 0 and giou.allclose(torch.tensor([[-0.25]]))
    assert cxcywh_to_xyxy(a).tolist() == [[0.0, 0.0, 0.5, 1.0]]


@settings(max_examples=20, deadline=None)
@given(BOXES, BOXES, st.integers(0, 99))
def test_simota_assigns_every_object_a_query(
    boxes: torch.Tensor, true: torch.Tensor, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(boxes), 3, generator=generator)
    labels = torch.randint(0, 3, (len(true),), generator=generator)
    claimed = simota_assign(boxes, logits, true, labels, 10)
    assert claimed.shape == (len(true), len(boxes)) and claimed.any(1).all()
    if len(boxes) >= len(true):
        best = simota_assign(true, torch.zeros(len(true), 3), true, labels, 1)
        assert best.any(1).all()


def test_the_loss_falls_as_the_positive_comes_closer() -> None:
    key = torch.tensor([[1.0, 0.0]])
    positive, candidates = (torch.tensor([[True, False, False]]) for _ in range(2))
    near = torch.tensor([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    far = torch.tensor([[-3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    values = [instance_contrast(key, one, positive, candidates) for one in (near, far)]
    assert values[0].contrast < values[1].contrast and values[0].reid_aux < values[1].reid_aux
    by_hand = torch.log(1 + torch.exp(torch.tensor([0.0 - 3.0, -1.0 - 3.0])).sum())
    assert values[0].contrast.allclose(by_hand)


def test_without_negatives_the_contrast_is_zero() -> None:
    key, seen = torch.randn(1, 4), torch.randn(2, 4, requires_grad=True)
    every = torch.ones(1, 2, dtype=torch.bool)
    value = instance_contrast(key, seen, every, every)
    assert value.contrast.item() == 0
    value.reid_aux.backward()
    assert seen.grad is not None and seen.grad.isfinite().all()
