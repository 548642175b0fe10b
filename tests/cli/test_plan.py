"""`vlseg plan` estimates a job and leaves no files behind."""

import json
import shutil
from pathlib import Path

from jobs.media_files import tree, write_film

from vlseg_cli.cli.plan import lines
from vlseg_cli.jobs.plan import JobPlan


def test_a_plan_of_images_and_a_video(vlseg, kitchen: Path) -> None:
    folder = kitchen.parent
    shutil.copy(kitchen, folder / "again.png")
    (folder / "broken.png").write_bytes(b"no picture")
    write_film(folder / "film.mp4", 30)
    before = tree(folder)
    ran = vlseg("plan", "refer", ".", "the sky", "--stride", "3", "--json")
    assert ran.code == 0, ran.err
    plan = json.loads(ran.out)
    assert (plan["images"], plan["videos"], plan["looked_at"]) == (3, 1, 4)
    assert [*plan["unreadable"]] == ["broken.png"]
    assert plan["frames"] == 3 + 10
    assert plan["seconds"] > 0 and plan["bytes"] > 0
    assert plan["free"] > plan["memory"] > 10_000_000
    assert tree(folder) == before


def test_only_inference_commands_can_be_planned(vlseg) -> None:
    ran = vlseg("plan", "train", "recipe.toml")
    assert ran.code == 2 and "cannot be planned" in ran.err
    assert "did you mean 'refer'?" in vlseg("plan", "reffer").err


def test_the_help_is_that_of_the_planned_command(vlseg) -> None:
    assert "--many" in vlseg("plan", "reason", "--help").out
    assert "--many" not in vlseg("plan", "--help").out


def test_a_plan_as_text() -> None:
    plan = JobPlan(
        1000, 2, 200, {"x.png": "x.png is empty."}, 5000, 7200.0, 3 * 10**9, 10**9, 10**9
    )
    assert list(lines(plan)) == [
        "inputs  1,000 images, 2 videos, length: about 5,000 frames",
        "        1 of 200 checked cannot be read, for example: x.png is empty.",
        "time    about 2 h on this machine",
        "disk    about 3.0 GB of 1.0 GB free: NOT ENOUGH, free some or give another --out",
        "memory  1.0 GB in the trial",
    ]
    unknown = JobPlan(0, 2, 2, {}, None, None, None, 10**7, 10**9)
    assert list(lines(unknown)) == [
        "inputs  0 images, 2 videos, length: unknown",
        "time    unknown: nothing could be tried",
        "memory  10.0 MB in the trial",
    ]
