"""True boxes, shaken: near the truth, in groups that do not see each other."""

import torch

from vlseg_cli.nn.denoising import denoising_queries

CONDITIONS = torch.arange(2 * 3 * 4.0).view(2, 3, 4)
BOXES = [torch.tensor([[0.5, 0.5, 0.4, 0.2]]), torch.tensor([[0.2, 0.2, 0.1, 0.1]] * 2)]
LABELS = [torch.tensor([2]), torch.tensor([0, 1])]


def test_contents_are_the_words_and_boxes_are_near() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, number=7)
    assert noise is not None and noise.groups == 3
    assert noise.queries.shape == (2, 6, 4)
    assert noise.real.tolist() == [[True, False], [True, True]]
    assert torch.equal(noise.queries[0, 0::2], CONDITIONS[0, 2].expand(3, 4))
    assert torch.equal(noise.queries[1, 1::2], CONDITIONS[1, 1].expand(3, 4))
    distance = (noise.boxes[0, 0::2].sigmoid() - BOXES[0]).abs()
    assert (distance <= 0.4 * torch.tensor([0.2, 0.1, 0.4, 0.2]) + 1e-4).all()
    assert distance.sum() > 0


def test_half_the_noise_is_none() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, 2, torch.full((2, 2, 4), 0.5))
    assert noise is not None
    assert torch.allclose(noise.boxes[1].sigmoid(), BOXES[1], atol=1e-5)


def test_groups_see_themselves_and_the_ordinary_queries() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, 4)
    assert noise is not None
    seen = ~noise.blocked(7)  # two groups of two, three ordinary ones
    expected = torch.zeros(7, 7, dtype=torch.bool)
    expected[:2, :2] = expected[2:4, 2:4] = True
    expected[:, 4:] = True
    assert torch.equal(seen, expected)


def test_too_many_objects_or_none_are_not_denoised() -> None:
    assert denoising_queries(CONDITIONS, BOXES, LABELS, number=1) is None
    nothing = [torch.zeros(0, 4)] * 2, [torch.zeros(0, dtype=torch.long)] * 2
    assert denoising_queries(CONDITIONS, *nothing, 10) is None
