"""`vlseg eval world` prints one JSON object, and a page if asked for."""

import json
from pathlib import Path

from vlseg_cli.cli.eval import flattened


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


def test_clips_are_scored(vlseg) -> None:
    words = ["--video", "--seeds", "900000:900001", "--frames", "4", "--size", "128"]
    ran = vlseg("eval", "world", *words, "--json")
    assert ran.code == 0, ran.err
    (result,) = ran.records
    assert (result["clips"], result["model"]) == (1, "embedded")
    assert 0 < result["vos"]["J&F"] <= 1
    assert "vos.J&F " in ran.err and "id_switches" in ran.err


def test_what_clips_cannot_have(vlseg) -> None:
    assert "leave it out with --video" in vlseg("eval", "world", "--video", "--html", "page").err
    assert "goes with --video" in vlseg("eval", "world", "--frames", "4").err
