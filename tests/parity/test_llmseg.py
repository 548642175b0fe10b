"""Every stage of LLM-Seg, which is HRSeg with both additions off, against the authors' own code."""

from collections.abc import Mapping

import pytest
from parity.check import Stages
from parity.golden import Golden
from parity.llmseg import llmseg_stages
from parity.llmseg_selection import IGNORED, choices, rules_of

from vlseg_cli.evaluation.metrics.refer import MaskIoU

MODEL = ("see", "pooling", "read", "ask", "fusion", "answer", "losses", "gradients")
CHOOSING = ("soft masks", "targets", "selection")
ENCODERS = ("dinov2", "sam", "everything")
WORDS = ("tokens", "conversations", "tokenizer")
STAGES = (*MODEL, *CHOOSING, *ENCODERS, *WORDS)


@pytest.fixture(scope="module")
def stages(golden: Golden) -> Stages:
    return llmseg_stages(golden)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_nothing_is_left_out(golden: Golden, stages: Mapping[str, object]) -> None:
    assert tuple(stages) == STAGES
    for stage in llmseg_stages(golden).values():
        stage()
    assert golden.left == ()
    assert {entry.split("/")[0] for entry in golden.aside} == {"tok"}


def test_the_meter_of_evaluation_says_their_figures(golden: Golden) -> None:
    rules = rules_of(golden)
    assert len(rules) >= 5
    for rule in rules:
        meter = MaskIoU(count_epsilon=1e-5)
        for mask, truth in choices(golden, rule):
            meter.add(mask, truth == 1, truth == IGNORED)
        theirs = golden.recorded(f"sel/out/{rule}/metrics").tolist()
        assert [meter.result().giou, meter.result().ciou] == pytest.approx(theirs, abs=1e-6)
