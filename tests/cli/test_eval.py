"""`vlseg eval`: one JSON object, a page, resumed jobs, and the published numbers."""

import json
from pathlib import Path

from vlseg_cli.cli.world_scores import flattened


def test_measures_are_listed_with_their_paths() -> None:
    result = {"refer": {"cIoU": 0.71234, "by_kind": {"all": {"n": 3}}}, "scenes": 3}
    assert list(flattened(result)) == [
        ("refer.cIoU", "0.712"),
        ("refer.by_kind.all.n", "3"),
        ("scenes", "3"),
    ]


def test_the_embedded_model_is_scored(vlseg, tmp_path: Path) -> None:
    ran = vlseg("eval", "world", "--seeds", "900000:900002", "--out", "page", "--json")
    assert ran.code == 0
    (result,) = ran.records
    assert result["scenes"] == 2
    assert 0 <= result["refer"]["cIoU"] <= 1
    assert f"refer.cIoU{' ' * 23}{result['refer']['cIoU']:.3f}" in ran.err
    assert (tmp_path / "page" / "index.html").is_file()
    assert json.loads(ran.out) == result
    again = vlseg("eval", "world", "--seeds", "900000:900002", "--out", "page", "--json")
    assert again.out == ran.out and "of 2 scenes" not in again.err
    alone = vlseg(
        "eval", "world", "--seeds", "900000:900009", "--limit", 2, "--html", "h", "--json"
    )
    assert alone.out == ran.out and [one.name for one in (tmp_path / "h").iterdir()] == [
        "index.html"
    ]


def test_clips_are_scored(vlseg) -> None:
    words = ["--video", "--seeds", "900000:900001", "--frames", "4", "--size", "128"]
    ran = vlseg("eval", "world", *words, "--json")
    assert ran.code == 0, ran.err
    (result,) = ran.records
    assert (result["clips"], result["model"]) == (1, "embedded")
    assert 0 < result["vos"]["J&F"] <= 1
    assert "vos.J&F " in ran.err and "id_switches" in ran.err


def test_options_that_do_not_fit_clips(vlseg) -> None:
    assert "leave it out with --video" in vlseg("eval", "world", "--video", "--html", "page").err
    assert "goes with --video" in vlseg("eval", "world", "--frames", "4").err


def test_the_list_has_the_papers_numbers(vlseg) -> None:
    ran = vlseg("eval", "--list", "--json")
    listed = {one["name"]: one for one in ran.records[0]}
    numbers = listed["coco-panoptic"]["published"]
    assert {"model": "PSALM", "measure": "PQ", "value": 55.9, "source": "PSALM, table 9"} in numbers
    assert "PSALM, table 9: PSALM 55.9 PQ" in vlseg("eval", "--list").out


def test_a_benchmark_is_evaluated_and_shown_beside_papers(vlseg, tmp_path: Path) -> None:
    words = ("eval", "refcoco-val", "reasonseg-val", "--toy", "--limit", 2, "--out", "scores")
    ran = vlseg(*words, "--set", "unit=sentence", "--json")
    assert ran.code == 0
    (summary,) = ran.records
    refcoco, reasonseg = summary["benchmarks"]
    assert refcoco["protocol"] == {"unit": "sentence", "polygons": "fill"}
    assert 0 <= refcoco["measures"]["cIoU"] <= 100 and reasonseg["answers"] == 2
    assert "PSALM 83.6 [PSALM, table 8]" in ran.err
    assert "a toy set of synthetic scenes" in ran.err
    made = {"index.html", "scores.json", "scores.csv", "records.jsonl", "job.json", "toy"}
    assert made <= {path.name for path in (tmp_path / "scores").iterdir()}
    left = [tmp_path / "scores" / name / f".{'0a' * 8}.part" for name in ("", "toy", "submissions")]
    for path in left:  # as a killed run leaves them
        path.parent.mkdir(exist_ok=True)
        path.touch()
    again = vlseg(*words, "--set", "unit=sentence", "--json")
    assert not any(path.exists() for path in left)
    assert again.out == ran.out and "samples," not in again.err
    assert "holds another job" in vlseg(*words).err


def test_a_wrong_command_line_is_one_sentence(vlseg) -> None:
    for words, code, sentence in (
        (("refcoco-val",), 2, "--data DIR"),
        ((), 2, "Name benchmarks"),
        (("refcoco-val", "world"), 2, "world alone"),
        (("refcoco",), 2, "no benchmark 'refcoco'"),
        (("refcoco-val", "--data", "."), 4, "no folder"),
        (("refcoco-val", "--toy", "--set", "names=x"), 2, "unit=sentence|ref"),
        (("refcoco-val", "--toy", "--shard", "0/2"), 2, "--shard needs --out"),
        (("refcoco-val", "--toy", "--protocol", "lisa"), 2, "choose among psalm"),
    ):
        ran = vlseg("eval", *words)
        assert ran.code == code and sentence in ran.err, words


def test_the_embedded_model_runs_every_kind_of_image_benchmark(vlseg) -> None:
    names = (
        "grefcoco-val",
        "rec-refcoco-val",
        "llmseg40k-val",
        "coco-panoptic",
        "coco-semantic",
        "coco-instance",
        "coco-interactive-point",
        "ade20k-semantic",
        "cityscapes-instance",
    )
    ran = vlseg("eval", *names, "--toy", "--limit", 1, "--json")
    assert ran.code == 0
    (summary,) = ran.records
    assert [one["name"] for one in summary["benchmarks"]] == list(names)
    assert all(one["answers"] for one in summary["benchmarks"]) and not summary["failed"]
