"""Every post-processing rule against loops over pixels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    generalized_mask,
    mask_scores,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    semantic_scores,
    top_instances,
)

seeds = st.integers(0, 10_000)


def random_answer(seed: int, queries: int = 5, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Sure class logits (N, K + 1) and blotchy masks (N, 4, 5)."""
    draw = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(queries, classes + 1, generator=draw, dtype=torch.float64)
    return logits, 3 * torch.randn(queries, 4, 5, generator=draw, dtype=torch.float64)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def bilinear(grid: list[list[float]], height: int, width: int) -> list[list[float]]:
    """Resize with half-pixel centers and clamped edges."""

    def at(length: int, size: int, i: int) -> tuple[int, int, float]:
        place = max((i + 0.5) * length / size - 0.5, 0.0)
        low = min(int(place), length - 1)
        return low, min(low + 1, length - 1), place - low

    out = []
    for i in range(height):
        y0, y1, dy = at(len(grid), height, i)
        row = []
        for j in range(width):
            x0, x1, dx = at(len(grid[0]), width, j)
            top = grid[y0][x0] * (1 - dx) + grid[y0][x1] * dx
            bottom = grid[y1][x0] * (1 - dx) + grid[y1][x1] * dx
            row.append(top * (1 - dy) + bottom * dy)
        out.append(row)
    return out


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 12), st.integers(1, 12), st.integers(1, 17), st.integers(1, 17))
def test_masks_are_resized_to_the_original_image(
    seed: int, h: int, w: int, height: int, width: int
):
    _, masks = random_answer(seed, queries=1)
    ours = resize_to_original(masks, ImageGeometry((12, 12), (h, w), (height, width)))[0]
    padded = bilinear(masks[0].tolist(), 12, 12)
    theirs = bilinear([row[:w] for row in padded[:h]], height, width)
    assert torch.allclose(ours, torch.tensor(theirs, dtype=torch.float64), atol=1e-9)


def naive_panoptic(
    logits: Tensor, masks: Tensor, is_thing: list[bool], score_threshold: float, overlap: float
) -> tuple[list[list[int]], list[tuple[int, int, float]]]:
    """Section 7.1 in words of one pixel."""
    kept = []
    for row, mask in zip(logits.tolist(), masks.tolist(), strict=True):
        total = sum(math.exp(value) for value in row)
        scores = [math.exp(value) / total for value in row]
        label = scores.index(max(scores))
        if label != len(row) - 1 and max(scores) > score_threshold:
            kept.append((max(scores), label, [[sigmoid(v) for v in line] for line in mask]))
    height, width = masks.shape[-2:]
    ids = [[0] * width for _ in range(height)]
    segments: list[tuple[int, int, float]] = []
    joined: dict[int, int] = {}
    pixels = [(y, x) for y in range(height) for x in range(width)]
    owner = {
        (y, x): max(range(len(kept)), key=lambda k: kept[k][0] * kept[k][2][y][x])
        for y, x in pixels
        if kept
    }
    for query, (score, label, mask) in enumerate(kept):
        owned = [p for p in pixels if owner[p] == query]
        full = [(y, x) for y, x in pixels if mask[y][x] >= 0.5]
        mine = [p for p in owned if p in full]
        if not owned or not full or not mine or len(owned) / len(full) < overlap:
            continue
        number = len(segments) + 1
        if not is_thing[label] and label in joined:
            number = joined[label]
        else:
            segments.append((number, label, score))
            joined[label] = number
        for y, x in mine:
            ids[y][x] = number
    return ids, segments


@settings(max_examples=60, deadline=None)
@given(
    seeds,
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.sampled_from((0.0, 0.5, 0.9)),
    st.sampled_from((0.0, 0.4, 0.8)),
)
def test_panoptic_map(seed: int, is_thing: list[bool], score: float, overlap: float) -> None:
    logits, masks = random_answer(seed)
    ids, segments = merge_panoptic(logits, masks, is_thing, score, overlap)
    wanted, expected = naive_panoptic(logits, masks, is_thing, score, overlap)
    assert ids.tolist() == wanted
    assert [s[:2] for s in segments] == [s[:2] for s in expected]
    assert [s.score for s in segments] == pytest.approx([s[2] for s in expected])


def test_stuff_of_one_class_is_one_segment_and_things_are_not() -> None:
    logits = torch.tensor([[9.0, 0, 0], [9.0, 0, 0]])
    left = torch.tensor([[5.0, 5.0, -5.0, -5.0]] * 2)
    masks = torch.stack([left, -left])
    stuff, sky = merge_panoptic(logits, masks, [False, True])
    assert [s.category for s in sky] == [0]
    assert (stuff == 1).all()
    things, cups = merge_panoptic(logits, masks, [True, True])
    assert [s.id for s in cups] == [1, 2]
    assert things.tolist() == [[1, 1, 2, 2]] * 2


def test_a_mostly_covered_mask_is_dropped() -> None:
    logits = torch.tensor([[9.0, 0, 0], [0, 8.0, 0]])
    masks = torch.stack([torch.full((2, 4), 5.0), torch.tensor([[4.0, 4, 4, 4], [9, -9, -9, -9]])])
    ids, segments = merge_panoptic(logits, masks, [True, True])
    assert [s.category for s in segments] == [0]
    assert ids[0].tolist() == [1, 1, 1, 1]
    assert ids[1, 0] == 0, "the pixel of a dropped segment belongs to nobody"


def test_no_confident_query_gives_an_empty_map() -> None:
    void, masks = torch.tensor([[0.0, 0.0, 9.0]]), torch.ones(1, 3, 4)
    for logits in (void, torch.zeros(1, 3), torch.zeros(0, 3)):
        ids, segments = merge_panoptic(logits, masks[: len(logits)], [True, True])
        assert segments == []
        assert ids.dtype == torch.int32 and ids.shape == (3, 4) and not ids.any()


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_semantic_scores_exclude_no_object(seed: int) -> None:
    logits, masks = random_answer(seed)
    scores = semantic_scores(logits, masks)
    probability = logits.softmax(-1)
    for category, y, x in ((0, 0, 0), (1, 3, 4), (2, 2, 1)):
        wanted = sum(
            float(probability[q, category]) * sigmoid(float(masks[q, y, x])) for q in range(5)
        )
        assert float(scores[category, y, x]) == pytest.approx(wanted)
    assert scores.shape == (3, 4, 5)


def naive_mask_score(mask: Tensor) -> float:
    inside = [sigmoid(value) for value in mask.flatten().tolist() if value > 0]
    return sum(inside) / (len(inside) + 1e-6)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_mask_scores_are_mean_foreground_probabilities(seed: int) -> None:
    logits, masks = random_answer(seed)
    masks[0] = -1.0
    assert mask_scores(masks).tolist() == pytest.approx([naive_mask_score(m) for m in masks])
    wanted = [
        sigmoid(s) * naive_mask_score(m) for s, m in zip(logits[:, 0].tolist(), masks, strict=True)
    ]
    assert referring_scores(logits[:, 0], masks).tolist() == pytest.approx(wanted)
    assert wanted[0] == 0


@settings(max_examples=40, deadline=None)
@given(
    seeds, st.integers(1, 20), st.one_of(st.none(), st.lists(st.booleans(), min_size=3, max_size=3))
)
def test_instances_are_the_best_pairs(seed: int, top: int, things: list[bool] | None) -> None:
    logits, masks = random_answer(seed)
    flags = None if things is None else torch.tensor(things)
    found = top_instances(logits, masks, top, flags)
    probability = logits.softmax(-1)
    pairs = [(float(probability[q, c]), q, c) for q in range(5) for c in range(3)]
    best = sorted(pairs, reverse=True)[:top]
    kept = [(p * naive_mask_score(masks[q]), q, c) for p, q, c in best]
    kept = sorted((k for k in kept if things is None or things[k[2]]), reverse=True)
    assert found.scores.tolist() == pytest.approx([score for score, _, _ in kept])
    assert found.queries.tolist() == [q for _, q, _ in kept]
    assert found.categories.tolist() == [c for _, _, c in kept]


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 1))
def test_the_generalized_mask_is_a_nonempty_union(seed: int, threshold: float) -> None:
    logits, masks = random_answer(seed)
    scores = logits[:, 0].sigmoid()
    chosen = [q for q in range(5) if float(scores[q]) > threshold] or [int(scores.argmax())]
    wanted = torch.zeros(4, 5, dtype=torch.bool)
    for query in chosen:
        wanted |= masks[query] > 0
    assert generalized_mask(scores, masks, threshold).equal(wanted)
