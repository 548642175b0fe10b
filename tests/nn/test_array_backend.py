"""NumPy and torch agree: the operations themselves, and post-processing that is made of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlseg_cli.nn.array_backend import best_first, descending, resize, sigmoid, softmax, to_numpy
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    selected_mask,
    semantic_scores,
    top_instances,
    without_duplicates,
)

SEEDS = st.integers(0, 2**32 - 1)


def logits(seed: int, *shape: int) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.random.default_rng(seed).normal(0, 4, shape).astype(np.float32)
    return values


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_maps_are_resized_alike(seed: int, h: int, w: int, height: int, width: int) -> None:
    maps = logits(seed, 3, h, w)
    expected = resize(torch.from_numpy(maps), (height, width)).numpy()
    assert resize(maps, (height, width)) == pytest.approx(
        expected, abs=3e-4
    )  # torch rounds positions to float32


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 9))
def test_elementwise_functions_and_orders_are_alike(seed: int, count: int) -> None:
    values = logits(seed, 9)
    tensor = torch.from_numpy(values)
    for operation in (softmax, sigmoid, descending):
        assert operation(values) == pytest.approx(to_numpy(operation(tensor)), rel=1e-5)
    for ours, theirs in zip(best_first(values, count), best_first(tensor, count), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_a_probability_near_zero_keeps_its_order() -> None:
    low, high = sigmoid(np.array([-80.0, -60.0], np.float32))
    assert 0 < low < high
    assert sigmoid(np.float32(-200)) == 0  # overflow is no warning


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_post_processing_is_alike(seed: int) -> None:
    scores, low = logits(seed, 6, 4), logits(seed + 1, 6, 8, 8)
    tensors = torch.from_numpy(scores), torch.from_numpy(low)
    geometry = ImageGeometry((32, 32), (24, 32), (45, 60))
    masks, others = (resize_to_original(each, geometry) for each in (low, tensors[1]))
    assert masks == pytest.approx(others.numpy(), abs=1e-4)
    ids, segments = merge_panoptic(scores, masks, [True, False, True], 0.3, 0.2)
    their_ids, theirs = merge_panoptic(tensors[0], others, [True, False, True], 0.3, 0.2)
    assert [(s.id, s.category) for s in segments] == [(s.id, s.category) for s in theirs]
    assert (ids == their_ids.numpy()).mean() > 0.99
    found, their = top_instances(scores, masks), top_instances(tensors[0], others)
    assert found.queries.tolist() == their.queries.tolist()
    assert found.scores == pytest.approx(their.scores.numpy(), abs=1e-4)
    kept, their_kept = (
        without_duplicates(*each, 0.2) for each in ((found, low), (their, tensors[1]))
    )
    assert kept.queries.tolist() == their_kept.queries.tolist()
    assert semantic_scores(scores, masks) == pytest.approx(
        semantic_scores(tensors[0], others).numpy(), abs=1e-4
    )
    assert referring_scores(scores[:, 0], masks) == pytest.approx(
        referring_scores(tensors[0][:, 0], others).numpy(), abs=1e-4
    )
    mask, best = selected_mask(scores[:, 0], low, geometry, 0.5)
    their_mask, their_best = selected_mask(tensors[0][:, 0], tensors[1], geometry, 0.5)
    assert best == pytest.approx(their_best, abs=1e-5)
    assert (mask == their_mask.numpy()).mean() > 0.99
