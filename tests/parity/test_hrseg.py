"""HRSeg's additions against figures computed from the paper's formulas, in double precision."""

from collections.abc import Mapping

import pytest

from vlseg_cli.models.parity.check import Stages
from vlseg_cli.models.parity.golden import Golden
from vlseg_cli.models.parity.hrseg import hrseg_stages

STAGES = ("windows", "perception", "pooling", "enhancement", "selection", "losses")


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return hrseg_stages(golden)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Mapping[str, object]) -> None:
    assert tuple(stages) == STAGES
    for stage in hrseg_stages(golden).values():
        stage()
    assert golden.left == ()


def test_both_cases_of_the_choice_are_there(golden: Golden) -> None:
    assert {"select/normal/out/mask", "select/empty/out/mask"} <= golden.tensors.keys()
