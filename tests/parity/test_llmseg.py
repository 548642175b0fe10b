"""Every stage of LLM-Seg, an HRSeg with both additions off, against the authors' own code."""

import pytest
from parity.golden import Golden, Stages
from parity.llmseg_components import UNLABELED, choices, rules_of

from vlseg_cli.evaluation.metrics.refer import MaskIoU

STEPS = ("run_language_model", "build_queries", "fusion", "decode_masks")
SELECTION = ("soft masks", "targets", "selection")
ENCODERS = ("dinov2", "sam", "mask generation")
TOKENS = ("tokens", "conversations", "tokenizer")
STAGES = (
    *("encode_image", "pooling", *STEPS, "losses", "gradients"),
    *(*SELECTION, *ENCODERS, *TOKENS),
)


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()
    assert {entry.split("/")[0] for entry in golden.excluded} == {"tok"}


def test_our_metric_equals_the_recorded_figures(golden: Golden) -> None:
    rules = rules_of(golden)
    assert len(rules) >= 5
    for rule in rules:
        meter = MaskIoU(count_epsilon=1e-5)
        for mask, truth in choices(golden, rule):
            meter.add(mask, truth == 1, truth == UNLABELED)
        theirs = golden.recorded(f"sel/out/{rule}/metrics").tolist()
        assert [meter.result().giou, meter.result().ciou] == pytest.approx(theirs, abs=1e-6)
