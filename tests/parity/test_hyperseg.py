"""Every stage of HyperSeg against the authors' own code, at the sizes of the golden file."""

from parity.golden import Golden, Stages
from parity.hyperseg_golden import FILED

STEPS = ("run_language_model", "build_queries", "decode_masks")
VIDEO = ("video sentence", "video category", "tracker default", "tracker idol", "reid")
STAGES = (
    *("preprocessing", "encode_image", "perceiver"),
    *(f"{step} {kind}" for kind in FILED for step in STEPS),
    *("segments", "losses", "chat"),
    *VIDEO,
)


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()
