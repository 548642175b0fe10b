"""Every stage of SELF1E against the authors' own code, at whatever sizes the golden file has."""

from functools import cache

import pytest
from parity.check import Stages
from parity.golden import Golden
from parity.self1e import self1e_stages

from vlseg_cli.evaluation.metrics.refer import MaskIoU

STAGES = (
    *("prompts", "see", "rows", "read", "ask", "answer", "segments", "scores"),
    *("losses and gradients", "tiles", "chat"),
)


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return {name: cache(stage) for name, stage in self1e_stages(golden).items()}


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.left == ()


def test_our_metric_scores_the_recorded_masks_alike(golden: Golden) -> None:
    meter = MaskIoU()
    rows = [row for row, kind in enumerate(golden.metadata["rows"]) if kind == "seg"]
    for number, row in enumerate(rows):
        mask, truth = golden[f"out/row{row}/mask_pred"], golden[f"in/gt_mask_{row}"]
        score = meter.add(mask[0].bool().numpy(), truth[0].bool().numpy())
        assert score.intersection == golden["out/metric_intersection"][number, 1]
        assert score.union == golden["out/metric_union"][number, 1]
    result = meter.result()
    assert result.giou == pytest.approx(float(golden["out/metric_giou"]), abs=1e-6)
    assert result.ciou == pytest.approx(float(golden["out/metric_ciou"]), abs=1e-6)
