"""A golden file counts what was compared, in its own precision."""

from pathlib import Path

import pytest
import torch
from parity.golden import Golden

from vlseg_cli.schema import WeightsError


def test_double_precision_is_kept() -> None:
    theirs = torch.tensor([0.0, 1000.0], dtype=torch.double)
    golden = Golden(Path("x"), {}, {"alt/y": theirs})
    assert (golden.recorded("alt/y").dtype, golden["alt/y"].dtype) == (torch.double, torch.float)
    golden.close("alt/y", theirs + 9e-10, 1e-12)
    assert 0.8 < golden.compared["alt/y"] < 1
    with pytest.raises(WeightsError, match=r"alt/y is off by 9\.00e-10, allowed 1\.00e-10"):
        golden.close("alt/y", theirs + 9e-10, 1e-13)


def test_whole_numbers_are_never_close() -> None:
    golden = Golden(Path("x"), {}, {"out/ids": torch.arange(3)})
    with pytest.raises(WeightsError, match=r"ids is off by 1\.00e\+00, allowed 0"):
        golden.close("out/ids", torch.arange(1, 4), 1.0)


def test_outputs_are_what_is_no_weight_and_no_input() -> None:
    given = ("top", "w/a", "in/b", "sam/w/c", "loss/in/d")
    outputs = ("out/e", "out/in/f", "sam/out/g", "alt/h", "tok/i")
    golden = Golden(Path("x"), {}, {name: torch.zeros(1) for name in given + outputs})
    assert golden.left == ("alt/h", "e", "in/f", "sam/out/g", "tok/i")
    golden.close("sam/out/g", torch.zeros(1), 0)
    golden.agrees("e", torch.zeros(1))
    golden.aside["tok/i"] = "given"
    assert golden.left == ("alt/h", "in/f")
