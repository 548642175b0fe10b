"""The setting that a report shows: the model, and the commit of the code."""

import subprocess
from pathlib import Path

import pytest

import vlseg_cli
from vlseg_cli.evaluation.summary import setting
from vlseg_cli.schema import WeightsError


def test_the_embedded_model(tmp_path: Path) -> None:
    found = setting(None, "float16", tmp_path, 5)
    assert (found.model, found.system, found.resolution) == ("embedded", "psalm", 192)
    assert found.dtype == "float16"
    assert (found.data, found.limit, found.version) == (str(tmp_path), 5, vlseg_cli.__version__)
    with pytest.raises(WeightsError, match="no model folder 'none'"):
        setting("none", "float32", tmp_path, None)


@pytest.mark.parametrize("packed", [False, True])
def test_the_commit_is_that_of_the_working_copy(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, further = tmp_path / "first", tmp_path / "further"
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(first))
    subprocess.run(("git", "init", "-q", str(first)), check=True)
    subprocess.run((*git, "commit", "-q", "--allow-empty", "-m", "one"), check=True)
    subprocess.run((*git, "worktree", "add", "-q", str(further)), check=True)
    if packed:
        subprocess.run((*git, "pack-refs", "--all"), check=True)
    ran = subprocess.run((*git, "rev-parse", "HEAD"), check=True, capture_output=True, text=True)
    for root, commit in ((first, ran.stdout[:12]), (further, ran.stdout[:12]), (tmp_path, "")):
        monkeypatch.setattr(vlseg_cli, "__file__", str(root / "vlseg_cli" / "__init__.py"))
        assert setting(None, "float32", tmp_path, None).commit == commit
