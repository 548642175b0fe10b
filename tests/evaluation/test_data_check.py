"""What `vlseg data check` finds: whole, small, damaged and missing sets."""

from pathlib import Path

from vlseg_cli.evaluation.benchmarks.table import find_benchmarks, write_toy_sets
from vlseg_cli.evaluation.data_check import check_data

NAMES = ("reasonseg-val", "coco-panoptic", "mmbench-en", "pascal-voc-20")


def test_states_of_data_sets(tmp_path: Path) -> None:
    wanted = find_benchmarks(NAMES)
    write_toy_sets(wanted[:3], tmp_path, 4)
    quick = {one.benchmark: one for one in check_data(wanted, tmp_path, thorough=False)}
    assert [quick[name].state for name in NAMES] == ["in part", "in part", "in part", "missing"]
    assert quick["coco-panoptic"].samples == 4 and quick["coco-panoptic"].published == 5000
    assert "val.txt is missing" in quick["pascal-voc-20"].problems[0]

    maps = sorted((tmp_path / "coco" / "panoptic_val2017").iterdir())
    maps[0].write_bytes(maps[0].read_bytes()[:100])
    next((tmp_path / "reason_seg" / "ReasonSeg" / "val").glob("*.json")).write_text("{")
    (quick_coco,) = check_data(wanted[1:2], tmp_path, thorough=False)
    assert quick_coco.state == "in part"
    reason, coco = check_data(wanted[:2], tmp_path, thorough=True)
    assert (reason.state, reason.faulty) == ("damaged", 1)
    assert (coco.state, coco.faulty) == ("damaged", 1)
    assert maps[0].name in coco.problems[0]

    next((tmp_path / "coco" / "val2017").iterdir()).unlink()
    (without,) = check_data(wanted[1:2], tmp_path, thorough=False)
    assert without.state == "damaged" and "is missing" in without.problems[0]
    (tmp_path / "coco" / "annotations" / "panoptic_val2017.json").write_text("[]")
    (broken,) = check_data(wanted[1:2], tmp_path, thorough=False)
    assert broken.state == "damaged" and "not a panoptic file" in broken.problems[0]
