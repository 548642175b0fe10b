"""Every stage of PSALM against the authors' own code, at whatever sizes the golden file has."""

from collections.abc import Mapping

import pytest

from vlseg_cli.models.golden import Golden
from vlseg_cli.models.parity import Stages
from vlseg_cli.models.psalm_parity import psalm_stages
from vlseg_cli.prompts.condition import ConditionKind

STEPS = ("read", "ask", "answer", "segments")
STAGES = ("see", *(f"{step} {kind}" for kind in ConditionKind for step in STEPS), "losses")


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return psalm_stages(golden)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Mapping[str, object]) -> None:
    assert tuple(stages) == STAGES
    for stage in psalm_stages(golden).values():
        stage()
    assert golden.left == ()
