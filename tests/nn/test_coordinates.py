"""Coordinates say where a cell is, at every resolution alike."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from vlseg_cli.nn.coordinates import CoordinateEmbedding, coordinates


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_x_and_y_run_from_edge_to_edge(h: int, w: int) -> None:
    where = coordinates(h, w, torch.device("cpu"))
    y, x = where[:2]
    assert where.shape == (18, h, w)
    assert torch.allclose(x, ((torch.arange(w) + 0.5) / w * 2 - 1).expand(h, w))
    assert torch.allclose(y, ((torch.arange(h) + 0.5) / h * 2 - 1).unsqueeze(1).expand(h, w))


def test_a_cell_of_a_coarse_map_lies_in_the_middle_of_its_fine_cells() -> None:
    fine, coarse = (coordinates(n, n, torch.device("cpu"))[:2] for n in (8, 4))
    assert torch.allclose(F.avg_pool2d(fine, 2), coarse, atol=1e-6)


def test_no_two_cells_share_their_coordinates() -> None:
    cells = coordinates(6, 8, torch.device("cpu")).flatten(1).T
    assert torch.cdist(cells, cells).fill_diagonal_(1).min() > 0.1


def test_the_embedding_adds_the_same_to_every_picture() -> None:
    embed = CoordinateEmbedding(5)
    first, second = torch.randn(2, 5, 4, 6), torch.randn(2, 5, 4, 6)
    assert torch.allclose(embed(first) - first, embed(second) - second, atol=1e-5)
    assert (embed(first) - first).abs().max() > 0.01


def test_the_embedding_speaks_the_models_own_dtype() -> None:
    embed = CoordinateEmbedding(5).double()
    assert embed(torch.randn(1, 5, 4, 6, dtype=torch.float64)).dtype == torch.float64
