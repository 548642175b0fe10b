"""Clips in an evaluation: tracked by a session, beside images, resumed, and submitted."""

import shutil
from pathlib import Path

import pytest
from jobs.stub import RecordingProgress, StubModel

from vlseg_cli.datasets.toy.refcoco import write_refcoco
from vlseg_cli.datasets.toy.video_expressions import write_ref_davis, write_ref_youtube_vos
from vlseg_cli.evaluation.benchmarks.table import find_benchmarks
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark
from vlseg_cli.evaluation.run import Evaluation, evaluate
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.outputs import OutputFolder

NAMES = ("ref-davis-2017", "refcoco-val", "ref-youtube-vos")
JOB = Job(("eval",), "stub", list(NAMES), {"save": []})
SEEDS, FRAMES, SIZE = range(910000, 910002), 3, 64


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_ref_davis(root / "DAVIS", "val", SEEDS, FRAMES, SIZE)
    write_ref_youtube_vos(root / "ref-youtube-vos", "valid", SEEDS[:1], FRAMES, SIZE)
    write_refcoco(root / "refer_seg", "refcoco", range(910000, 910004), SIZE)
    return root


def run(data: Path, out: Path | None, model: StubModel) -> Evaluation:
    entries = [
        PlannedBenchmark(one, protocol, one.find(data, protocol))
        for one in find_benchmarks(NAMES)
        for protocol in [one.protocol("hyperseg", {})]
    ]
    settings = JobSettings(
        OutputFolder(out or Path()), (), batch_size=2, keep_records=out is not None
    )
    return evaluate(EvaluationPlan(entries), JOB, settings, lambda: model, RecordingProgress())


def test_clips_and_images_are_scored_together_and_once(data: Path, tmp_path: Path) -> None:
    passing, kept = run(data, None, StubModel()), run(data, tmp_path, StubModel())
    assert passing.results is not None and passing.results == kept.results
    assert passing.results["ref-davis-2017"].measures["J&F"] is not None
    assert passing.results["refcoco-val"].n > 0
    assert passing.results["ref-youtube-vos"].measures["J&F"] is None
    archive = tmp_path / "submissions" / "ref-youtube-vos" / "Annotations.zip"
    sent = archive.read_bytes()
    again = StubModel()
    assert run(data, tmp_path, again).results == kept.results and again.batches == []
    assert archive.read_bytes() == sent


def test_a_clip_that_is_broken_fails_alone(data: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(data, tmp_path / "data"))
    frames = sorted((root / "ref-youtube-vos/valid/JPEGImages").glob("*/*.jpg"))
    frames[1].write_bytes(b"no image")
    done = run(root, tmp_path / "out", StubModel())
    assert len(done.summary.failed) == 1 and done.results is not None
    assert done.results["ref-davis-2017"] == run(data, None, StubModel()).results["ref-davis-2017"]
