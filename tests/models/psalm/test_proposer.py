"""The embedded default proposes objects of synthetic scenes, small ones from crops."""

import numpy as np
import pytest

from vlseg_cli.models.proposals.base import Proposer
from vlseg_cli.models.psalm.proposer import PSALMProposer
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.registry import open_proposer
from vlseg_cli.schema import Task, decode_rle
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample

SEEDS = (900_000, 900_001)


@pytest.fixture(scope="module")
def embedded() -> Proposer:
    return open_proposer("embedded", "cpu")


def best_overlaps(proposer: Proposer) -> list[float]:
    """Of every true object: IoU with its best proposal."""
    found = []
    for seed in SEEDS:
        sample = synthetic_sample(seed, 256, SampleMix(sentences=0, questions=0, regions=0))
        masks = [decode_rle(rle) for rle in proposer.propose(sample.frame).masks]
        (named,) = (query for query in sample.queries if query.task is Task.PANOPTIC)
        for truth in named.masks:
            found.append(max((m & truth).sum() / (m | truth).sum() for m in masks))
    return found


def test_objects_are_proposed(embedded: Proposer) -> None:
    assert np.mean(best_overlaps(embedded)) > 0.6


def test_crops_add_small_objects(embedded: Proposer) -> None:
    assert isinstance(embedded, PSALMProposer)
    segmenter = embedded._psalm
    assert isinstance(segmenter, PSALMSegmenter)
    whole = PSALMProposer(segmenter, "key", parts=1)
    assert np.mean(best_overlaps(embedded)) >= np.mean(best_overlaps(whole)) - 0.02
    assert whole.key != embedded.key
