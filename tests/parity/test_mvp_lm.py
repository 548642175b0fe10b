"""Every stage of MVP-LM against the authors' own code, at the sizes of the golden file."""

from parity.golden import Golden, Stages
from parity.mvp_lm_golden import KINDS

STEPS = ("run_language_model", "positions", "build_queries", "decode_masks", "segments")
STAGES = (
    *("encode_image", "candidates"),
    *(f"{step} {case}" for case in KINDS for step in STEPS),
    *(f"{step} {case}" for case in KINDS for step in ("denoising", "losses")),
)


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()
