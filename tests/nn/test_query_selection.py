"""The places most like what was asked for, over all levels together."""

import torch

from vlseg_cli.nn.deformable import FlatMaps, flatten
from vlseg_cli.nn.query_selection import Candidates, at, proposals, select, similarity

SIZES = ((2, 2), (3, 4))


def memory() -> FlatMaps:
    return FlatMaps(torch.zeros(1, 16, 8), SIZES)


def test_flat_maps_are_split_again() -> None:
    maps = [torch.randn(2, 3, *size) for size in SIZES]
    flat = flatten(maps)
    assert flat.vectors.shape == (2, 16, 3) and flat.sizes == SIZES
    for one, other in zip(maps, flat.split(flat.vectors), strict=True):
        assert torch.equal(one, other)


def test_proposals_stand_on_cell_centers() -> None:
    boxes = proposals(memory()).sigmoid()
    assert torch.allclose(boxes[0], torch.tensor([0.25, 0.25, 0.05, 0.05]))
    assert torch.allclose(boxes[3], torch.tensor([0.75, 0.75, 0.05, 0.05]))
    assert torch.allclose(boxes[4], torch.tensor([0.125, 1 / 6, 0.1, 0.1]))


def test_places_at_the_border_are_no_candidates() -> None:
    wide = proposals(FlatMaps(torch.zeros(1, 200, 8), ((1, 200),)))
    assert wide.isinf().all(1).nonzero().flatten().tolist() == [0, 1, 198, 199]


def test_the_best_by_any_word_are_chosen() -> None:
    features = torch.randn(2, 6, 4, generator=torch.manual_seed(1))
    boxes = torch.zeros(6, 4)
    boxes[5] = float("inf")
    words = [torch.randn(3, 4), torch.randn(1, 4)]
    pictures = torch.tensor([1, 0])
    chosen = select(Candidates(features, boxes), features, pictures, words, 3)
    for row, picture in enumerate(pictures):
        each = (features[picture, :5] @ words[row].T).amax(1)
        assert chosen[row].tolist() == each.argsort(descending=True)[:3].tolist()
    assert torch.equal(at(features, pictures, chosen)[0, 0], features[1, chosen[0, 0]])


def test_thousands_of_words_are_compared_in_parts() -> None:
    places, words = torch.randn(5, 4), torch.randn(1000, 4)
    assert torch.equal(similarity(places, words), (places @ words.T).amax(1))
