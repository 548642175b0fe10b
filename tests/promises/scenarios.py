"""Small jobs of every kind, for the tests that kill, pause and repeat them.

A scenario prepares a folder, then runs in it; the same run again must end in the same tree. A job
of a new kind is one more entry of ``SCENARIOS``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch

from jobs.media_files import write_film, write_photos
from jobs.stub import RecordingProgress, StubModel, job_for
from promises.crashes import LocalFrames
from training.tiny import RECIPE

from vlseg_cli.cli.main import main
from vlseg_cli.jobs import JobSettings, Summary, export_job, merge_jobs, run_job
from vlseg_cli.jobs.work_units import Shard
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    FrameRange,
    Item,
    PromptRequest,
    Task,
)
from vlseg_cli.synthetic.export import export_scenes

WHOLE = Shard()


class Scenario(NamedTuple):
    """prepare: called once with the inputs and a fresh folder. run: then killed and repeated.

    sample: how many events are tried in the normal suite. imports: slow modules that are imported
    once, before the processes are forked.
    """

    run: Callable[[Path, Path], object]
    prepare: Callable[[Path, Path], object] = lambda _inputs, _folder: None
    sample: int = 8
    imports: tuple[str, ...] = ()


def write_inputs(folder: Path) -> Path:
    """Two images, two more, a video."""
    write_photos(folder / "photos", 3, broken=(1,))
    write_photos(folder / "more", 2)
    write_film(folder / "film.mp4", 5)
    return folder


def run(
    out: Path,
    inputs: Sequence[Path],
    formats: Sequence[str],
    text: str = "it",
    tracking: bool = False,
    maps: bool = False,
    overwrite: bool = False,
    shard: Shard = WHOLE,
) -> Summary:
    """A job with the stub model; maps: panoptic ones."""

    def build(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        if maps:
            return [PromptRequest(0, Task.PANOPTIC, Categories(("bright",)))]
        return [PromptRequest(0, Task.REFER, Expression(text))]

    settings = JobSettings(
        OutputFolder(out),
        tuple(formats),
        batch_size=2,
        chunk_frames=2,
        overwrite=overwrite,
        shard=shard,
        tracking=tracking,
        open_source=LocalFrames,
    )
    found = list(list_inputs([str(one) for one in inputs], exclude=out))
    job = job_for([text], formats, 2, 2, FrameRange())
    return run_job(job, settings, found, StubModel, build, RecordingProgress())


def _images(inputs: Path, folder: Path, **how: bool) -> None:
    run(folder / "out", [inputs / "photos"], ("coco", "overlay", "html"), **how)


def _grown(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "photos", inputs / "more"], ("coco", "overlay", "html"))


def _video(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "film.mp4"], ("coco", "video", "yolo"))


def _track(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "film.mp4"], ("ytvis", "palette"), tracking=True)


def _panoptic(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "photos"], ("panoptic", "jsonl", "parquet"), maps=True)


def _overwrite(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "more"], ("coco", "overlay"), text="other", overwrite=True)


def _export(inputs: Path, folder: Path) -> None:
    export_job(folder / "out", ("yolo", "overlay", "html"), folder / "made", lambda *_: None)


def _export_video(inputs: Path, folder: Path) -> None:
    export_job(folder / "out", ("video", "palette"), folder / "out", lambda *_: None)


def _world(_inputs: Path, folder: Path) -> None:
    export_scenes(folder / "scenes", range(2), 64)


def _eval_world(_inputs: Path, folder: Path) -> None:
    seeds = ("--seeds", "900000:900002", "--out", str(folder / "eval"), "--quiet")
    assert main(["eval", "world", *seeds]) == 0


def _shards(inputs: Path, folder: Path) -> None:
    """Of images with one that fails in both, a video and a gallery."""
    for index in (0, 1):
        shard = Shard(index, 2)
        out, both = folder / f"shard-{index}", [inputs / "photos", inputs / "film.mp4"]
        run(out, both, ("coco", "overlay", "html"), shard=shard)


def _merge(_inputs: Path, folder: Path) -> None:
    merge_jobs([folder / "shard-0", folder / "shard-1"], folder / "out")


_TRAINING = ("vlseg_cli.training.train", "vlseg_cli.models.psalm.training")


def _recipe(_inputs: Path, folder: Path) -> None:
    (folder / "recipe.toml").write_text(RECIPE)


def _train(_inputs: Path, folder: Path) -> None:
    """Two stages, each saved at its end, without what depends on the clock: rows of the log."""
    from vlseg_cli.training import log, loop
    from vlseg_cli.training.train import build_run, train_run

    changes = ["stage.0.steps=1", "stage.1.steps=1", "log.every=99", "checkpoint.keep=1"]
    with (
        patch.object(log, "SummaryWriter"),
        patch.object(log, "draw_curves"),  # takes longer than all steps
        patch.object(loop, "time", SimpleNamespace(monotonic=lambda: 0.0)),
    ):
        train_run(build_run(folder / "recipe.toml", folder / "out", changes))


SCENARIOS: dict[str, Scenario] = {
    "images": Scenario(_images),
    "video": Scenario(_video),
    "track": Scenario(_track),
    "panoptic": Scenario(_panoptic),
    "grown": Scenario(_grown, _images),
    "overwrite": Scenario(_overwrite, _images),
    "export": Scenario(_export, _images, 8),
    "export_video": Scenario(_export_video, _track, 8),
    "world": Scenario(_world, sample=6),
    "eval_world": Scenario(_eval_world, sample=2),
    "merge": Scenario(_merge, _shards),
    "train": Scenario(_train, _recipe, 4, _TRAINING),
}
