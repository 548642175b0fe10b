"""`vlseg export` makes of a job's answers what the job itself would have made."""

import json
from pathlib import Path

from jobs.media_files import tree


def test_more_formats_of_the_same_answers(vlseg, kitchen: Path) -> None:
    vlseg("segment", "kitchen.png", "--save", "overlay,panoptic,coco", "--out", "whole")
    vlseg("segment", "kitchen.png", "--save", "coco", "--out", "part")
    ran = vlseg("export", "part", "--to", "overlay,coco", "--out", "more", "--json")
    assert json.loads(ran.out)["formats"] == ["overlay", "coco"]
    here = kitchen.parent
    assert tree(here / "more") == {
        name: digest
        for name, digest in tree(here / "whole").items()
        if name.startswith(("coco", "overlay"))
    }


def test_sources_that_are_gone_are_told(vlseg, kitchen: Path) -> None:
    vlseg("detect", "kitchen.png", "--save", "coco")
    kitchen.unlink()
    ran = vlseg("export", "vlseg-out", "--to", "overlay,jsonl", "--json")
    assert ran.code == 3
    assert [one["input"] for one in json.loads(ran.out)["failed"]] == ["kitchen.png"]


def test_what_cannot_be_exported(vlseg, kitchen: Path) -> None:
    vlseg("detect", "kitchen.png", "--save", "coco")
    for words, said in [(["vlseg-out", "--to", "cocoo"], "did you mean 'coco'?"),
                        (["vlseg-out", "--to", "panoptic"], "needs a map"),
                        (["nowhere", "--to", "coco"], "holds no job")]:  # fmt: skip
        ran = vlseg("export", *words)
        assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1
