"""What MVP-LM's four steps hand to each other."""

from typing import NamedTuple

from torch import Tensor


class Read(NamedTuple):
    """Step 2 for P prompts, positions after the picture: hidden (P, L, D) of the last layer, mean
    (P, L, D) over the embeddings and all layers, ids and condition (P, L) padded with 0 and -1,
    embeds (P, L, D) what went in."""

    hidden: Tensor
    mean: Tensor
    ids: Tensor
    condition: Tensor
    embeds: Tensor


class Instruction(NamedTuple):
    """What step 3 needs of step 2: pooled (P, K, D) conditions, present (P, K): rows may have
    fewer; summary (P, D): the last hidden state at the end of the answer."""

    pooled: Tensor
    present: Tensor
    summary: Tensor


class Asked(NamedTuple):
    """Step 3: conditions (P, K, d), present (P, K); queries (P, N, d) and their boxes (P, N, 4) as
    logits; base (P, N, d): the part of the queries that comes from the summary token, or 0.
    places (P, n): where in the memory the first n queries were found."""

    conditions: Tensor
    present: Tensor
    queries: Tensor
    boxes: Tensor
    base: Tensor
    places: Tensor


class Level(NamedTuple):
    """Scores (P, N, K) logits, boxes (P, N, 4) cx, cy, w, h in [0, 1], pred_masks (P, N, H/4,
    W/4) logits."""

    scores: Tensor
    boxes: Tensor
    pred_masks: Tensor


class Answered(NamedTuple):
    """Step 4. levels: of the queries as asked, then after each layer; the last one counts. initial:
    the first level once more, with the gradients that teach the selection; denoised: the levels of
    the denoising queries."""

    levels: tuple[Level, ...]
    initial: Level | None = None
    denoised: tuple[Level, ...] = ()
