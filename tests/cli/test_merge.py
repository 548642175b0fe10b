"""`vlseg merge` of two shards writes the files of a single process."""

import json
import shutil
from pathlib import Path

from jobs.media_files import tree


def test_merged_shards_equal_one_run(vlseg, kitchen: Path) -> None:
    for name in ["a.png", "b.png", "c.png"]:
        shutil.copy(kitchen, kitchen.parent / name)
    command = ["detect", "*.png", "--save", "coco", "--batch-size", "1"]
    assert vlseg(*command, "--out", "whole").code == 0
    for shard in ["0", "1"]:
        assert vlseg(*command, "--out", f"shard-{shard}", "--shard", f"{shard}/2").code == 0
    ran = vlseg("merge", "shard-0", "shard-1", "--out", "merged", "--json")
    assert json.loads(ran.out) == {"inputs": 4, "out": "merged"}
    here = kitchen.parent
    for name in ["records.jsonl", "coco.json", "coco_results.json"]:
        assert tree(here / "merged")[name] == tree(here / "whole")[name]
