"""Every stage of PSALM against the authors' own code, at the sizes of the golden file."""

from parity.golden import Golden, Stages

from vlseg_cli.text.placeholders import ConditionKind

STEPS = ("run_language_model", "build_queries", "decode_masks", "segments")
PROMPTS = tuple(f"{step} {kind}" for kind in ConditionKind for step in STEPS)
STAGES = ("encode_image", *PROMPTS, "losses")


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()
