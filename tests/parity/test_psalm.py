"""Every stage of PSALM against the authors' own code, at whatever sizes the golden file has."""

from functools import cache

import pytest
from parity.check import Stages
from parity.golden import Golden
from parity.psalm import psalm_stages

from vlseg_cli.text.placeholders import ConditionKind

STEPS = ("read", "ask", "answer", "segments")
STAGES = ("see", *(f"{step} {kind}" for kind in ConditionKind for step in STEPS), "losses")


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return {name: cache(stage) for name, stage in psalm_stages(golden).items()}


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.left == ()
