"""Every stage of SELF1E against the authors' own code, at the sizes of the golden file."""

import pytest
from parity.golden import Golden, Stages

from vlseg_cli.evaluation.metrics.refer import MaskIoU

STAGES = (
    *("prompts", "encode_image", "token rows", "run_language_model", "build_queries"),
    *("decode_masks", "segments", "metrics", "losses", "tiles", "chat"),
)


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()


def test_our_metric_equals_the_recorded_figures(golden: Golden) -> None:
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
