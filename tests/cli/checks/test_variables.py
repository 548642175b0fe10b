"""Variables are shown, secrets are only named."""

from pathlib import Path

from vlseg_cli.cli.checks import State
from vlseg_cli.cli.checks.variables import variables


def test_secrets_are_never_shown() -> None:
    findings = list(variables({"HF_TOKEN": "hf_secret", "WANDB_API_KEY": "key", "OTHER": "x"}))
    assert [one.name for one in findings] == ["HF_TOKEN", "WANDB_API_KEY"]
    assert not any("secret" in one.found or "key" in one.found for one in findings)


def test_only_what_is_set_is_told() -> None:
    assert list(variables({})) == []
    (one,) = variables({"CUDA_VISIBLE_DEVICES": ""})
    assert (one.state, one.found) == (State.OK, "is set, to nothing")


def test_values_that_cannot_work_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wrong = {
        "HF_HOME": str(tmp_path / "file"),
        "TMPDIR": str(tmp_path / "missing"),
        "OMP_NUM_THREADS": "many",
    }
    for one in variables(wrong):
        assert one.state is State.WARNING and one.mend
    right = {"HF_HOME": str(tmp_path / "new"), "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "2"}
    assert all(one.state is State.OK for one in variables(right))
