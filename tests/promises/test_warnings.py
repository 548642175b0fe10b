"""No warning of a library reaches a user: commands run with every warning as an error."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KITCHEN = ROOT / "examples" / "kitchen.png"
COMMANDS = {
    "by ONNX Runtime": ["reason", KITCHEN, "what keeps food cold?", "--save", "overlay,coco"],
    "by torch": ["segment", KITCHEN, "--model", ROOT / "vlseg_cli" / "weights" / "embedded"],
    "a video": [
        "track",
        ROOT / "examples" / "garden.mp4",
        "--refer",
        "the dog",
        "--max-frames",
        "2",
    ],
    "a gallery": ["detect", KITCHEN, "--categories", "fridge,dog", "--save", "html,yolo"],
    "evaluation": ["eval", "world", "--seeds", "900000:900001", "--json"],
    "drawing": ["world", "scenes", "--scenes", "1"],
    "listing": ["weights", "list"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_warns_of_nothing(name: str, tmp_path: Path) -> None:
    line = [sys.executable, "-W", "error", "-m", "vlseg_cli", *map(str, COMMANDS[name])]
    ran = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
