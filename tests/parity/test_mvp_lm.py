"""Every stage of MVP-LM against the authors' own code, at whatever sizes the golden file has."""

from collections.abc import Mapping

import pytest
from parity.check import Stages
from parity.golden import Golden
from parity.mvp_lm import mvp_lm_stages
from parity.mvp_lm_golden import KINDS

STEPS = ("read", "positions", "ask", "answer", "segments")
LEARNING = ("denoising", "losses")
STAGES = (
    "see",
    "candidates",
    *(f"{step} {case}" for case in KINDS for step in STEPS),
    *(f"{step} {case}" for case in KINDS for step in LEARNING),
)


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return mvp_lm_stages(golden)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Mapping[str, object]) -> None:
    assert tuple(stages) == STAGES
    for stage in mvp_lm_stages(golden).values():
        stage()
    assert golden.left == ()
