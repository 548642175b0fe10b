"""`vlseg merge` makes of two shares what one process would have made."""

import json
import shutil
from pathlib import Path

from jobs.media_files import tree


def test_merged_shards_equal_one_run(vlseg, kitchen: Path) -> None:
    for name in ["a.png", "b.png", "c.png"]:
        shutil.copy(kitchen, kitchen.parent / name)
    asked = ["detect", "*.png", "--save", "coco", "--batch-size", "1"]
    assert vlseg(*asked, "--out", "whole").code == 0
    for share in ["0", "1"]:
        assert vlseg(*asked, "--out", f"share-{share}", "--shard", f"{share}/2").code == 0
    ran = vlseg("merge", "share-0", "share-1", "--out", "merged", "--json")
    assert json.loads(ran.out) == {"inputs": 4, "out": "merged"}
    here = kitchen.parent
    for name in ["records.jsonl", "coco.json", "coco_results.json"]:
        assert tree(here / "merged")[name] == tree(here / "whole")[name]
