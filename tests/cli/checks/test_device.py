"""Every device that is named has calculated something."""

import torch

from vlseg_cli.cli.checks import State
from vlseg_cli.cli.checks.device import device


def test_models_have_something_to_run_on() -> None:
    findings = list(device())
    gpus = torch.cuda.device_count() + torch.backends.mps.is_available()
    assert len(findings) == max(1, gpus)
    assert all(one.state is not State.BROKEN for one in findings)
