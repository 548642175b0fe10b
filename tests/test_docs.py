"""The README, docs/ and examples/README.md: their commands run, their predictions are right.

All commands of one document run in one process, one after the other, as a reader would type them.
Blocks marked ``sh`` are run; unmarked blocks need a network, photographs, hours or a terminal.
"""

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
DOCUMENTS = [ROOT / "README.md", ROOT / "examples/README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SET_UP = re.findall(r"^\$ (.+)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
RUN = """
import json, sys
from vlseg_cli.__main__ import main
for words in json.loads(sys.argv[1]):
    print("+", *words, file=sys.stderr, flush=True)
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"""
# The truth of every command that segments what a text describes: image, category, least IoU.
TRUTH = {
    'vlseg reason examples/kitchen.png "what keeps food cold?"': ("kitchen", "fridge", 0.8),
    'vlseg reason examples/room.png "what tells the time?"': ("room", "clock", 0.8),
    'vlseg refer examples/room.png "the clock"': ("room", "clock", 0.8),
    'vlseg refer examples/room.png "the orange dog on the sofa"': ("room", "dog", 0.6),
    'vlseg refer examples/beach.png "the umbrella"': ("beach", "umbrella", 0.8),
}


def commands(document: Path) -> list[str]:
    """The ``vlseg`` commands of its ``sh`` blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def run(lines: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder with the repository's examples and recipes."""
    for name in ("examples", "recipes"):
        (folder / name).symlink_to(ROOT / name)
    words = [shlex.split(line) for line in lines]
    assert all(first == "vlseg" for first, *_ in words)
    return subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([rest for _, *rest in words])],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def true_masks(image: str, category: str) -> list[np.ndarray[Any, Any]]:
    """The masks of a category in the ground truth beside an example."""
    truth = json.loads((ROOT / f"examples/{image}.json").read_text("utf-8"))
    number = next(c["id"] for c in truth["categories"] if c["name"] == category)
    found = [a for a in truth["annotations"] if a["category_id"] == number]
    return [decode_rle(RLE(**a["segmentation"])) for a in found]


def iou(ours: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    return float((ours & truth).sum() / (ours | truth).sum())


def best_iou(segment: dict[str, Any], image: str, category: str) -> float:
    ours = decode_rle(RLE(**segment["segmentation"]))
    return max((iou(ours, mask) for mask in true_masks(image, category)), default=0.0)


def test_the_readme_is_short_and_its_two_commands_need_only_python() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 130
    first, second = SET_UP
    for command in (first, second):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert first.endswith('.venv/bin/vlseg reason examples/kitchen.png "what keeps food cold?"')
    assert second.endswith(".venv/bin/pytest")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_run_one_after_the_other(document: Path, tmp_path: Path) -> None:
    if lines := commands(document):
        result = run(lines, tmp_path)
        assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_prompt_about_one_image_has_a_known_truth(document: Path) -> None:
    single = re.compile(r'vlseg (reason|refer) \S+\.png "[^"]+"$')
    assert {line for line in commands(document) if single.match(line)} <= TRUTH.keys()


def test_text_prompts_find_what_they_describe(tmp_path: Path) -> None:
    result = run([f"{line} --json" for line in TRUTH], tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    records = [json.loads(line) for line in result.stdout.splitlines()]
    for record, (image, category, least) in zip(records, TRUTH.values(), strict=True):
        (segment,) = record["segments"]
        assert best_iou(segment, image, category) >= least, record["prompt"]


def test_the_other_commands_of_the_readme_are_right(tmp_path: Path) -> None:
    lines = commands(ROOT / "README.md")
    detect = next(line for line in lines if line.startswith("vlseg detect"))
    box = next(line for line in lines if "--box" in line)
    names = next(line for line in lines if "--categories" in line)
    result = run([detect, f"{box} --json", f"{names} --json"], tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    detected, in_box, named = (json.loads(line) for line in result.stdout.splitlines())
    assert len(detected["segments"]) >= 3
    for segment in detected["segments"]:
        assert best_iou(segment, "kitchen", segment["label"]) >= 0.7, segment["label"]
    (segment,) = in_box["segments"]
    assert best_iou(segment, "harbour", "boat") >= 0.7
    assert {segment["label"] for segment in named["segments"]} == {"dog", "sea", "umbrella"}


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_paths_and_links_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), target
    folders = "|".join(path.name for path in (ROOT / "vlseg_cli").iterdir() if path.is_dir())
    for path in re.findall(rf"(?<![\w/])((?:{folders})/[\w/]+\.(?:py|toml))", text):
        assert (ROOT / "vlseg_cli" / path).is_file(), path
    for path in re.findall(r"(?<![\w/])((?:recipes|benchmarks|tests)/[\w/-]+\.\w+)", text):
        assert (ROOT / path).exists(), path
