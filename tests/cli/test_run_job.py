"""The build of a job from its options, and its run: folders, formats, output, exit codes."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from jobs.media_files import stamps, write_film
from PIL import Image
from pycocotools.coco import COCO

from vlseg_cli.cli.main import load
from vlseg_cli.cli.run_job import arguments
from vlseg_cli.jobs.job import read_job
from vlseg_cli.schema import decode_rle


def context(words: list[str]) -> typer.Context:
    """What a command makes of its words, without running it."""
    made: typer.Context = load(words[0]).make_context(words[0], words[1:])
    return made


def result_options(words: list[str]) -> dict[str, Any]:
    """The values of all options that can change a result."""
    neutral = ("out", "overwrite", "shard", "quiet", "as_json", "progress", "fail_fast", "device")
    return {name: value for name, value in context(words).params.items() if name not in neutral}


LINES = [
    ["reason", "a.png", "b c.png", "what -- is it?"],
    ["reason", "-0", "-", "-t", "--json", "-t", "two"],
    ["refer", "a.png", "the cup", "--many", "--threshold", "0.25", "--model", "my model"],
    ["segment", "a.png", "--point", "1,2", "--point", "3,4", "--mask", "m.png", "--save", "coco"],
    ["segment", "films/", "--task", "semantic", "--categories", "cup, table", "--stride", "5"],
    ["detect", "--start", "1:30", "--end", "0:02:00.5", "--max-frames", "9", "--", "-odd.mp4"],
    ["detect", "--prompts", "rows.csv", "--batch-size", "7"],
    ["segment"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_the_stored_arguments_parse_to_the_same_values(words: list[str]) -> None:
    again = list(arguments(context(words)))
    assert again[0] == words[0]
    assert result_options(again) == result_options(words)
    assert arguments(context(again)) == tuple(again)


def test_options_that_change_no_result_are_left_out() -> None:
    neutral = ["--out", "x", "--overwrite", "--shard", "0/2", "--quiet", "--json", "--fail-fast"]
    neutral += ["--device", "cpu", "--progress", "lines"]
    words = ["refer", "a.png", "the cup"]
    assert arguments(context(words + neutral)) == arguments(context(words))


def test_another_prompt_goes_to_another_folder(vlseg, kitchen: Path) -> None:
    for prompt, expected in [("one", "vlseg-out"), ("two", "vlseg-out-2"), ("one", "vlseg-out")]:
        ran = vlseg("refer", "kitchen.png", prompt, "--save", "jsonl")
        assert ran.code == 0
        assert f"Saved in {expected}: " in ran.err
        assert ("holds another job; this one goes to" in ran.err) is (expected != "vlseg-out")
    job = read_job(kitchen.parent / "vlseg-out-2")
    assert job is not None and job.requests == {"task": "refer", "sentences": ["two"]}


def test_a_given_folder_is_never_mixed(vlseg, kitchen: Path) -> None:
    options = ["--save", "jsonl", "--out", "out"]
    assert vlseg("refer", "kitchen.png", "one", *options).code == 0
    ran = vlseg("refer", "kitchen.png", "two", *options)
    assert ran.code == 2 and "another job" in ran.err and "--overwrite" in ran.err
    ran = vlseg("refer", "kitchen.png", "one", *options, "--dtype", "bfloat16")
    assert ran.code == 2 and "--dtype was float32, now bfloat16" in ran.err
    assert vlseg("refer", "kitchen.png", "two", *options, "--overwrite").code == 0


def test_the_default_run_writes_an_overlay_and_coco(vlseg, kitchen: Path) -> None:
    ran = vlseg("segment", "kitchen.png")
    assert (ran.code, ran.out) == (0, "")
    out = kitchen.parent / "vlseg-out"
    assert {path.name for path in out.iterdir()} == {
        "coco.json", "coco_results.json", "overlay", "job.json", "journal.jsonl", "records.jsonl"
    }  # fmt: skip
    with Image.open(out / "overlay" / "kitchen.png") as overlay, Image.open(kitchen) as image:
        assert overlay.size == image.size
    assert COCO(out / "coco.json").loadImgs(1)[0]["file_name"] == "kitchen.png"


def test_json_is_one_object_per_image_and_nothing_else(vlseg, kitchen: Path) -> None:
    Image.open(kitchen).resize((97, 61)).save(kitchen.parent / "small.png")
    ran = vlseg("detect", "kitchen.png", "small.png", "--json", "--save", "none")
    assert [record["input"] for record in ran.records] == ["kitchen.png", "small.png"]
    assert (ran.records[1]["width"], ran.records[1]["height"]) == (97, 61)
    for record in ran.records:
        assert set(record) == {
            "input", "name", "video", "frame", "time", "width", "height", "task", "prompt",
            "stuff", "text", "segments"
        }  # fmt: skip
        for segment in record["segments"]:
            assert decode_rle(segment["segmentation"]).shape == (record["height"], record["width"])
            assert decode_rle(segment["segmentation"]).sum() == segment["area"]
    assert not (kitchen.parent / "vlseg-out").exists()


def test_the_embedded_model_is_named_with_its_limits(vlseg, kitchen: Path) -> None:
    ran = vlseg("segment", "kitchen.png", "--save", "none")
    assert "synthetic scenes, not on photographs" in ran.err
    assert vlseg("segment", "kitchen.png", "--save", "none", "--quiet").err == ""


def test_a_broken_image_among_others_is_listed(vlseg, kitchen: Path) -> None:
    (kitchen.parent / "broken.png").write_bytes(kitchen.read_bytes()[:200])
    ran = vlseg("detect", ".", "--save", "jsonl", "--json")
    assert ran.code == 3
    assert [record["input"] for record in ran.records] == ["kitchen.png"]
    failures = (kitchen.parent / "vlseg-out" / "failures.jsonl").read_text().splitlines()
    assert [json.loads(line)["input"] for line in failures] == ["broken.png"]
    assert "broken.png is damaged" in ran.err


def test_a_broken_image_alone_ends_with_3(vlseg, kitchen: Path) -> None:
    kitchen.write_text("no picture")
    ran = vlseg("segment", "kitchen.png")
    assert ran.code == 3 and "not an image" in ran.err


def test_a_point_outside_the_only_image_is_a_usage_error(vlseg, kitchen: Path) -> None:
    ran = vlseg("segment", "kitchen.png", "--point", "5000,5")
    assert ran.code == 2 and "outside" in ran.err


def test_an_unknown_model_is_a_weights_error(vlseg, kitchen: Path) -> None:
    ran = vlseg("segment", "kitchen.png", "--model", "no-such-model")
    assert ran.code == 5
    assert "no-such-model" in ran.err and "Traceback" not in ran.err


def test_results_are_not_read_again_as_inputs(vlseg, kitchen: Path) -> None:
    vlseg("segment", ".")
    ran = vlseg("segment", ".", "--json")
    assert [record["input"] for record in ran.records] == ["kitchen.png"]


def test_results_of_an_earlier_job_are_not_read_as_inputs(vlseg, kitchen: Path) -> None:
    vlseg("segment", ".")
    ran = vlseg("refer", ".", "the sky", "--json")
    assert [record["input"] for record in ran.records] == ["kitchen.png"]


def test_a_finished_job_shows_its_results_again(vlseg, kitchen: Path) -> None:
    first = vlseg("detect", "kitchen.png", "--json")
    before = stamps(kitchen.parent)
    again = vlseg("detect", "kitchen.png", "--json")
    assert again.records == first.records
    assert "Model:" in first.err and "Model:" not in again.err  # it was not even loaded
    assert "1 of 1 inputs were done before" in again.err
    assert stamps(kitchen.parent) == before


def test_videos_are_processed_frame_by_frame(vlseg, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", 12)
    ran = vlseg("detect", "film.mp4", "--stride", "3", "--start", "0.1", "--json")
    assert ran.code == 0
    assert [record["frame"] for record in ran.records] == [3, 6, 9]
    assert all(record["video"] and record["time"] >= 0.1 for record in ran.records)
    assert "1 of 1 inputs, 3 frames" in ran.err
    assert (tmp_path / "vlseg-out" / "coco_results.json").is_file()


def test_prompts_of_a_file_share_one_encoding(vlseg, kitchen: Path) -> None:
    Image.open(kitchen).resize((97, 61)).save(kitchen.parent / "small.png")
    (kitchen.parent / "rows.csv").write_text(
        "input,task,text,categories,regions\n"
        "kitchen.png,refer,the sky,,\n"
        'small.png,semantic,,"sky, house",\n'
        'kitchen.png,,,,"box 20,30,120,150; point 90,120"\n'
        "kitchen.png,,what flies?,,\n"
    )
    ran = vlseg("reason", "--prompts", "rows.csv", "--json", "--save", "jsonl")
    assert ran.code == 0
    assert [(one["input"], one["task"], one["prompt"]) for one in ran.records] == [
        ("kitchen.png", "refer", "the sky"),
        ("kitchen.png", "interactive", ["box", "point"]),
        ("kitchen.png", "reason", "what flies?"),
        ("small.png", "semantic", ["sky", "house"]),
    ]


def test_json_reaches_a_pipe_while_a_bar_is_on_the_screen(kitchen: Path) -> None:
    """stderr is a terminal here, stdout is not."""
    Image.open(kitchen).save(kitchen.parent / "second.png")
    screen, stderr = pty.openpty()
    words = ["detect", "kitchen.png", "second.png", "--json", "--save", "none"]
    running = subprocess.Popen(
        [sys.executable, "-m", "vlseg_cli", *words],
        cwd=kitchen.parent,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(stderr)
    shown = b""
    with suppress(OSError):  # which is how a terminal ends
        while more := os.read(screen, 1 << 16):
            shown += more
    output, _ = running.communicate()
    os.close(screen)
    assert [json.loads(line)["input"] for line in output.splitlines()] == [
        "kitchen.png", "second.png"
    ]  # fmt: skip
    assert b"2 of 2 inputs" in shown


def test_a_rotated_photo_is_processed_upright(vlseg, kitchen: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(kitchen).rotate(90, expand=True).save(kitchen.parent / "turned.png", exif=exif)
    ran = vlseg("detect", "kitchen.png", "turned.png", "--json", "--save", "none")
    upright, turned = ran.records
    assert upright["segments"] == turned["segments"]


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "RGBA"])
def test_images_of_any_mode_are_processed(vlseg, kitchen: Path, mode: str) -> None:
    image = Image.open(kitchen)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    image.save(kitchen.parent / "other.tif")
    assert vlseg("segment", "other.tif", "--save", "none").code == 0


def test_more_prompts_than_a_format_holds_are_refused_at_once(vlseg, kitchen: Path) -> None:
    prompts = [word for number in range(257) for word in ("-t", f"cup {number}")]
    ran = vlseg("refer", "kitchen.png", *prompts, "--save", "palette,coco", "--out", "out")
    assert ran.code == 2 and "257 prompts" in ran.err and ran.err.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize("done", [False, True])
def test_a_device_that_is_not_there_is_an_error_before_anything_else(
    vlseg, kitchen: Path, done: bool
) -> None:
    """Also where the job is finished, and no model would be loaded."""
    line = ["reason", kitchen, "what flies?", "--save", "coco", "--out", "out"]
    if done:
        assert vlseg(*line).code == 0
    ran = vlseg(*line, "--device", "cuda:99")
    assert ran.code == 2
    assert "--device cuda:99: " in ran.err and "this machine has cpu" in ran.err
    assert (kitchen.parent / "out").exists() == done
