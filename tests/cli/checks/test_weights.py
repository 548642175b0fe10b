"""The embedded model is really asked."""

import hashlib
from pathlib import Path

import pytest

from vlseg_cli.cli.checks import State
from vlseg_cli.cli.checks.weights import weights
from vlseg_cli.weights.resolve import EMBEDDED


def test_the_embedded_model_sees() -> None:
    file, answer = weights()
    data = (EMBEDDED / "model.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() in file.found
    assert (file.state, answer.state) == (State.OK, State.OK)
    assert answer.found.startswith("sees ")


def test_missing_weights_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlseg_cli.weights.resolve.EMBEDDED", tmp_path)
    (finding,) = weights()
    assert finding.state is State.BROKEN and "is missing" in finding.found and finding.mend
