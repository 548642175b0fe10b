"""Modules without numbers: as if built with them once they are filled, and no second copy."""

import re
import subprocess
import sys
from pathlib import Path

import torch

from vlseg_cli.models.configs.psalm import PSALMConfig
from vlseg_cli.models.empty import build_empty
from vlseg_cli.models.psalm import PSALM

ROOT = Path(__file__).parents[2]


def test_filled_it_is_the_same_model(miniature: dict[str, object]) -> None:
    """What no file holds, such as tables of positions, is there and right."""
    config = PSALMConfig.from_dict({**miniature, "vocabulary": 40})
    torch.manual_seed(0)
    real = PSALM(config).eval()
    empty = build_empty(lambda: PSALM(config)).eval()
    assert all(parameter.is_meta for parameter in empty.parameters())
    empty.load_state_dict(real.state_dict(), assign=True)
    for (name, ours), (_, theirs) in zip(empty.named_buffers(), real.named_buffers(), strict=True):
        assert not ours.is_meta and ours.equal(theirs), name
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert empty.see(pixels).tokens.equal(real.see(pixels).tokens)


def test_loading_takes_no_second_copy() -> None:
    """The measurement of a smaller model; the full one is taken by hand."""
    sizes = ["--layers", "1", "--vocabulary", "5000"]
    command = [sys.executable, ROOT / "benchmarks" / "loading.py", "float32", *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ratio = re.search(r" = ([\d.]+) times", done.stdout)
    # Far below 1 where the system takes pages back that nobody has touched for a while.
    assert ratio and 0.1 < float(ratio[1]) <= 1.15, done.stdout
