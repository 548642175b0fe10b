"""`vlseg data`: specimens that `vlseg eval` takes, and what is said of a folder."""

from pathlib import Path


def test_a_specimen_is_found(vlseg, tmp_path: Path) -> None:
    assert vlseg("data", "specimen", "try", "reasonseg-val", "--scenes", "3").code == 0
    ran = vlseg("data", "check", "try", "--json")
    assert ran.code == 0
    states = {one["benchmark"]: one["state"] for one in ran.records[0]}
    assert states["reasonseg-val"] == "in part" and states["coco-panoptic"] == "missing"
    assert "reasonseg-val: in part, 3 of 200 samples" in ran.err
    assert "missing: refcoco-val, " in ran.err


def test_exit_codes(vlseg, tmp_path: Path) -> None:
    assert vlseg("data", "check", "nowhere").code == 4
    vlseg("data", "specimen", "try", "reasonseg-val", "--scenes", "3")
    assert vlseg("data", "check", "try", "--benchmark", "coco-panoptic").code == 4
    assert vlseg("data", "check", "try", "--benchmark", "coco").code == 2
    next((tmp_path / "try").rglob("*.json")).write_text("[")
    ran = vlseg("data", "check", "try", "--thorough", "--benchmark", "reasonseg-val")
    assert ran.code == 3 and "is damaged" in ran.err
