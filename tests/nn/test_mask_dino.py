"""Query selection over all levels, and denoising queries in groups masked from each other."""

import torch

from vlseg_cli.nn.deformable import FlatMaps, flatten_maps
from vlseg_cli.nn.mask_dino import (
    Candidates,
    best_similarity,
    denoising_queries,
    gather_locations,
    grid_proposals,
    select_queries,
)

SIZES = ((2, 2), (3, 4))


def memory() -> FlatMaps:
    return FlatMaps(torch.zeros(1, 16, 8), SIZES)


def test_flat_maps_are_split_again() -> None:
    maps = [torch.randn(2, 3, *size) for size in SIZES]
    flat = flatten_maps(maps)
    assert flat.vectors.shape == (2, 16, 3) and flat.sizes == SIZES
    for one, other in zip(maps, flat.split(flat.vectors), strict=True):
        assert torch.equal(one, other)


def test_proposals_are_at_cell_centers() -> None:
    boxes = grid_proposals(memory()).sigmoid()
    assert torch.allclose(boxes[0], torch.tensor([0.25, 0.25, 0.05, 0.05]))
    assert torch.allclose(boxes[3], torch.tensor([0.75, 0.75, 0.05, 0.05]))
    assert torch.allclose(boxes[4], torch.tensor([0.125, 1 / 6, 0.1, 0.1]))


def test_locations_at_the_border_are_not_valid() -> None:
    wide = grid_proposals(FlatMaps(torch.zeros(1, 200, 8), ((1, 200),)))
    assert wide.isinf().all(1).nonzero().flatten().tolist() == [0, 1, 198, 199]


def test_the_most_similar_to_any_condition_are_selected() -> None:
    features = torch.randn(2, 6, 4, generator=torch.manual_seed(1))
    boxes = torch.zeros(6, 4)
    boxes[5] = float("inf")
    words = [torch.randn(3, 4), torch.randn(1, 4)]
    pictures = torch.tensor([1, 0])
    chosen = select_queries(Candidates(features, boxes), features, pictures, words, 3)
    for row, picture in enumerate(pictures):
        each = (features[picture, :5] @ words[row].T).amax(1)
        assert chosen[row].tolist() == each.argsort(descending=True)[:3].tolist()
    assert torch.equal(
        gather_locations(features, pictures, chosen)[0, 0], features[1, chosen[0, 0]]
    )


def test_thousands_of_conditions_are_compared_in_chunks() -> None:
    places, words = torch.randn(5, 4), torch.randn(1000, 4)
    assert torch.equal(best_similarity(places, words), (places @ words.T).amax(1))


CONDITIONS = torch.arange(2 * 3 * 4.0).view(2, 3, 4)
BOXES = [torch.tensor([[0.5, 0.5, 0.4, 0.2]]), torch.tensor([[0.2, 0.2, 0.1, 0.1]] * 2)]
LABELS = [torch.tensor([2]), torch.tensor([0, 1])]


def test_contents_are_conditions_and_boxes_are_near_the_truth() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, number=7)
    assert noise is not None and noise.groups == 3
    assert noise.queries.shape == (2, 6, 4)
    assert noise.valid.tolist() == [[True, False], [True, True]]
    assert torch.equal(noise.queries[0, 0::2], CONDITIONS[0, 2].expand(3, 4))
    assert torch.equal(noise.queries[1, 1::2], CONDITIONS[1, 1].expand(3, 4))
    distance = (noise.boxes[0, 0::2].sigmoid() - BOXES[0]).abs()
    assert (distance <= 0.4 * torch.tensor([0.2, 0.1, 0.4, 0.2]) + 1e-4).all()
    assert distance.sum() > 0


def test_noise_of_one_half_changes_nothing() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, 2, torch.full((2, 2, 4), 0.5))
    assert noise is not None
    assert torch.allclose(noise.boxes[1].sigmoid(), BOXES[1], atol=1e-5)


def test_groups_attend_to_themselves_and_the_ordinary_queries() -> None:
    noise = denoising_queries(CONDITIONS, BOXES, LABELS, 4)
    assert noise is not None
    seen = ~noise.attention_mask(7)  # two groups of two, three ordinary ones
    expected = torch.zeros(7, 7, dtype=torch.bool)
    expected[:2, :2] = expected[2:4, 2:4] = True
    expected[:, 4:] = True
    assert torch.equal(seen, expected)


def test_no_denoising_without_objects_or_with_too_many() -> None:
    assert denoising_queries(CONDITIONS, BOXES, LABELS, number=1) is None
    nothing = [torch.zeros(0, 4)] * 2, [torch.zeros(0, dtype=torch.long)] * 2
    assert denoising_queries(CONDITIONS, *nothing, 10) is None
