"""Every stage of HyperSeg against the authors' own code, at whatever sizes the golden file has."""

from functools import cache

import pytest
from parity.check import Stages
from parity.golden import Golden
from parity.hyperseg import hyperseg_stages
from parity.hyperseg_golden import FILED

STEPS = ("read", "ask", "answer")
VIDEO = ("video sentence", "video category", "tracker default", "tracker idol", "reidentification")
STAGES = (
    *("pixels", "see", "perceive"),
    *(f"{step} {kind}" for kind in FILED for step in STEPS),
    *("segments", "losses", "chat"),
    *VIDEO,
)


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return {name: cache(stage) for name, stage in hyperseg_stages(golden).items()}


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.left == ()
