"""The README's commands do what it says, on the files it names."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlseg_cli.schema import RLE, decode_rle

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROMPTED = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
SHOWN = [
    [line.split("  #")[0].strip() for line in block.splitlines() if line.startswith("vlseg ")]
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
]


def run(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a README command as a user would, with the repository's examples at hand."""
    if not (directory / "examples").exists():
        (directory / "examples").symlink_to(ROOT / "examples")
        (directory / "recipes").symlink_to(ROOT / "recipes")
    words = shlex.split(command)
    assert words[0] == "vlseg"
    return subprocess.run(
        [sys.executable, "-m", "vlseg_cli", *words[1:]],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def iou(ours: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    return float((ours & truth).sum() / (ours | truth).sum())


def test_begins_with_install_ask_test() -> None:
    install, ask, test = PROMPTED[:3]
    assert install.startswith("pip install")
    assert ask == 'vlseg reason examples/kitchen.png "what keeps food cold?"'
    assert test == "pytest"


def test_the_first_command_finds_the_fridge(tmp_path: Path) -> None:
    result = run(PROMPTED[1] + " --json", tmp_path)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    truth = json.loads((ROOT / "examples" / "kitchen.json").read_text("utf-8"))
    fridge = next(c["id"] for c in truth["categories"] if c["name"] == "fridge")
    (known,) = (a for a in truth["annotations"] if a["category_id"] == fridge)
    ours = decode_rle(RLE(**answer["segments"][0]["segmentation"]))
    assert iou(ours, decode_rle(RLE(**known["segmentation"]))) >= 0.8
    assert (tmp_path / "vlseg-out" / "overlay" / "kitchen.png").is_file()


@pytest.mark.parametrize("commands", SHOWN)
def test_shown_commands_work_one_after_the_other(commands: list[str], tmp_path: Path) -> None:
    assert commands
    for command in commands:
        result = run(command, tmp_path)
        assert result.returncode == 0, f"{command}\n{result.stderr}"
